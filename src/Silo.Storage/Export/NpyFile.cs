using System.Buffers.Binary;
using System.Text;

namespace Silo.Storage.Export;

/// <summary>
/// Writes an array as a NumPy .npy file (format 1.0, C order, little-endian) row by row. Layout:
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
/// </summary>
internal sealed class NpyFile : IDisposable
{
    private const int Alignment = 64;

    private readonly BufferedStream _stream;

    /// <param name="path">The file.</param>
    /// <param name="type">NumPy's name of the element type: <c>&lt;f4</c>, <c>&lt;i4</c>.</param>
    /// <param name="shape">The array's shape; the caller writes that many elements.</param>
    public NpyFile(string path, string type, params ReadOnlySpan<long> shape)
    {
        _stream = new BufferedStream(File.Create(path), 1 << 16);
        var sizes = string.Join(", ", shape.ToArray()) + (shape.Length == 1 ? "," : "");
        var header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({sizes}), }}";
        const int Prefix = 10;
        var padded = (Prefix + header.Length + 1 + Alignment - 1) / Alignment * Alignment - Prefix;
        Span<byte> start = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, 0, 0];
        BinaryPrimitives.WriteUInt16LittleEndian(start[8..], (ushort)padded);
        _stream.Write(start);
        _stream.Write(Encoding.ASCII.GetBytes(header.PadRight(padded - 1) + "\n"));
    }

    public void Write(ReadOnlySpan<double> values)
    {
        Span<byte> bytes = stackalloc byte[4];
        foreach (var value in values)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes, (float)value);
            _stream.Write(bytes);
        }
    }

    public void Write(ReadOnlySpan<int> values)
    {
        Span<byte> bytes = stackalloc byte[4];
        foreach (var value in values)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
            _stream.Write(bytes);
        }
    }

    public void Dispose() => _stream.Dispose();
}
