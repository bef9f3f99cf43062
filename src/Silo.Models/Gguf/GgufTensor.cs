namespace Silo.Models.Gguf;

/// <summary>Where a tensor of a GGUF file lies and how it is to be read. Row-major; the first dimension runs fastest.</summary>
/// <param name="Name">The tensor's name, unique in the file.</param>
/// <param name="Type">The format of its values.</param>
/// <param name="Dimensions">One to four sizes; the first is the length of a row (the inputs of a matrix).</param>
/// <param name="Offset">Bytes from the start of the file to its first value.</param>
/// <param name="Bytes">Bytes of all its values.</param>
public sealed record GgufTensor(string Name, GgufTensorType Type, IReadOnlyList<long> Dimensions, long Offset, long Bytes)
{
    /// <summary>Number of values.</summary>
    public long Count => Dimensions.Aggregate(1L, (product, size) => product * size);

    /// <summary>Length of a row: the inputs of a matrix.</summary>
    public long Columns => Dimensions[0];

    /// <summary>Number of rows: the outputs of a matrix.</summary>
    public long Rows => Count / Dimensions[0];

    /// <summary>The shape as text, e.g. 64 x 512.</summary>
    public string Shape => string.Join(" x ", Dimensions);
}
