using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Silo.Experiments.Generation;

namespace Silo.Experiments.Campaign;

/// <summary>
/// What a run's texts amount to: SHA-256 over the digests of its prompts in plan order, each SHA-256 over key, tokens
/// and feature bits of its texts in plan order. It depends neither on the order of work nor on interruptions; with
/// another numeric profile the feature bits may differ, so the engines stand beside it.
/// </summary>
/// <param name="Hex">Lower-case hex.</param>
/// <param name="Engines">The distinct fingerprints of what made the texts, in ordinal order.</param>
public sealed record RunDigest(string Hex, IReadOnlyList<string> Engines)
{
    /// <summary>What enters the digest of one text; <see cref="FeatureHash"/> is null for a text that failed.</summary>
    /// <param name="Key">The text's key.</param>
    /// <param name="Tokens">Its tokens.</param>
    /// <param name="FeatureHash">See <see cref="GenerationRecord.FeatureHash"/>.</param>
    public readonly record struct Part(GenerationKey Key, ReadOnlyMemory<int> Tokens, ReadOnlyMemory<byte>? FeatureHash);

    /// <summary>Digest of one prompt: 32 bytes.</summary>
    /// <param name="texts">All texts of the prompt in plan order.</param>
    public static byte[] OfPrompt(IEnumerable<Part> texts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[8];
        foreach (var (key, tokens, features) in texts)
        {
            var prompt = Encoding.UTF8.GetBytes(key.Prompt);
            AppendInt(hash, number, prompt.Length);
            hash.AppendData(prompt);
            BinaryPrimitives.WriteDoubleLittleEndian(number, key.Temperature);
            hash.AppendData(number);
            AppendInt(hash, number, key.Sample);
            if (features is not { } bits)
            {
                AppendInt(hash, number, -1);
                continue;
            }
            AppendInt(hash, number, tokens.Length);
            if (BitConverter.IsLittleEndian) hash.AppendData(MemoryMarshal.AsBytes(tokens.Span));
            else foreach (var token in tokens.Span) AppendInt(hash, number, token);
            hash.AppendData(bits.Span);
        }
        return hash.GetHashAndReset();
    }

    /// <summary>Digest of a run from those of its prompts.</summary>
    /// <param name="prompts">The prompts' digests in plan order.</param>
    /// <param name="engines">Fingerprints of what made the texts, in any order.</param>
    public static RunDigest OfRun(IEnumerable<byte[]> prompts, IEnumerable<string> engines)
    {
        using var sum = new Sum();
        foreach (var prompt in prompts) sum.Add(prompt, null);
        foreach (var engine in engines) sum.Add([], engine);
        return sum.End();
    }

    /// <summary>Takes the digests of a run's prompts one by one, in plan order, however many they are.</summary>
    public sealed class Sum : IDisposable
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private readonly SortedSet<string> _engines = new(StringComparer.Ordinal);

        /// <summary>Takes the next prompt.</summary>
        /// <param name="prompt">Its digest.</param>
        /// <param name="engine">Fingerprint of what made its texts, or null where there are none.</param>
        public void Add(ReadOnlySpan<byte> prompt, string? engine)
        {
            _hash.AppendData(prompt);
            if (engine is not null) _engines.Add(engine);
        }

        /// <summary>The digest of all that was taken.</summary>
        public RunDigest End() => new(Convert.ToHexStringLower(_hash.GetHashAndReset()), [.. _engines]);

        /// <inheritdoc />
        public void Dispose() => _hash.Dispose();
    }

    private static void AppendInt(IncrementalHash hash, Span<byte> number, int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(number, value);
        hash.AppendData(number[..4]);
    }
}
