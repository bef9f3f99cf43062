using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Silo.Experiments.Spec;

/// <summary>Hashes prompts one after the other, so that not all of them need be at hand at once.</summary>
public sealed class PromptsHash : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private int _count;

    /// <summary>Adds the next prompt.</summary>
    public void Add(Prompt prompt)
    {
        Span<byte> length = stackalloc byte[4];
        foreach (var part in (ReadOnlySpan<string>)[prompt.Id, prompt.Text])
        {
            var bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            _hash.AppendData(length);
            _hash.AppendData(bytes);
        }
        _count++;
    }

    /// <summary>Number and hash of the prompts, and begins anew.</summary>
    internal CanonicalPrompts Take()
    {
        var taken = new CanonicalPrompts(_count, Convert.ToHexStringLower(_hash.GetHashAndReset()));
        _count = 0;
        return taken;
    }

    /// <inheritdoc />
    public void Dispose() => _hash.Dispose();
}
