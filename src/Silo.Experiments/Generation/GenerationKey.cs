using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Silo.Experiments.Generation;

/// <summary>
/// Names one text of an experiment: which prompt, at which temperature, which sample. Everything that is stored,
/// asked for or counted about a text goes by this key, so that no effect can happen twice.
/// </summary>
/// <param name="Prompt">The prompt's id, unique within the experiment.</param>
/// <param name="Temperature">Sampling temperature, &gt; 0, or 0 for the greedy text.</param>
/// <param name="Sample">0-based number of the sample at this prompt and temperature.</param>
public readonly record struct GenerationKey(string Prompt, double Temperature, int Sample)
{
    /// <summary>The text's name within its prompt, as ranking files use it: <c>t0.3-0</c>.</summary>
    public string Item => string.Create(CultureInfo.InvariantCulture, $"t{Temperature:R}-{Sample}");

    /// <summary>The key in one line: <c>prompt/t0.3-0</c>.</summary>
    public override string ToString() => $"{Prompt}/{Item}";

    /// <summary>
    /// The 128-bit key of this text's random stream: the first 16 bytes (big-endian) of
    /// SHA-256("silo-stream-1" NUL experiment NUL seed NUL prompt NUL temperature NUL sample), in UTF-8 with
    /// invariant numbers. The random number of step t is drawn at counter t, so a text depends on nothing else.
    /// </summary>
    /// <param name="experiment">The experiment's name.</param>
    /// <param name="seed">The experiment's seed.</param>
    public UInt128 StreamKey(string experiment, ulong seed)
    {
        var name = string.Create(CultureInfo.InvariantCulture,
            $"silo-stream-1\0{experiment}\0{seed}\0{Prompt}\0{Temperature:R}\0{Sample}");
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
