using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Silo.Core.Numerics;

/// <summary>
/// A random stream without state: every number is a pure function of the key and of where it is read, so it depends
/// neither on the order of work, nor on threads, nor on how often the work was interrupted. Built on Philox4x64-10
/// (Salmon et al. 2011). A value of 16 bytes; share it freely between threads.
/// </summary>
/// <remarks>
/// Streams are told apart by their keys: hash a name with <see cref="KeyOf(string)"/>, split one stream into many with
/// <see cref="Derive"/>. Numbers of one stream are told apart by (counter, lane); lanes are the cheap direction,
/// since four of them come from one block.
/// </remarks>
public readonly record struct CounterRandom
{
    // The counter's highest word separates the numbers of a stream from the keys derived from it.
    private const ulong NumbersDomain = 0, KeysDomain = 1;

    private CounterRandom(UInt128 key) => Key = key;

    /// <summary>What the stream is keyed by.</summary>
    public UInt128 Key { get; }

    /// <summary>The stream of a key.</summary>
    public static CounterRandom Create(UInt128 key) => new(key);

    /// <summary>The stream of a seed and a name such as <c>experiment/prompt/temperature/sample</c>.</summary>
    public static CounterRandom Create(ulong seed, string name) => Create(KeyOf(name)).Derive(seed);

    /// <summary>A key for a name: the first 16 bytes, little-endian, of the SHA-256 of its UTF-8 bytes.</summary>
    public static UInt128 KeyOf(string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    /// <summary>The child stream with this label, independent of the parent's numbers and of its other children.</summary>
    public CounterRandom Derive(ulong label)
    {
        var block = Philox.Compute(label, 0, 0, KeysDomain, (ulong)Key, (ulong)(Key >> 64));
        return new CounterRandom(new UInt128(block.W1, block.W0));
    }

    /// <summary>64 random bits at a place of the stream.</summary>
    /// <param name="counter">The place: a step, a draw.</param>
    /// <param name="lane">Which of the place's numbers; any value.</param>
    public ulong At(ulong counter, uint lane = 0)
    {
        var block = BlockAt(counter, lane >> 2);
        return (lane & 3) switch { 0 => block.W0, 1 => block.W1, 2 => block.W2, _ => block.W3 };
    }

    /// <summary>A uniform number in [0, 1), a multiple of 2^-53.</summary>
    public double UniformAt(ulong counter, uint lane = 0) => (At(counter, lane) >> 11) * (1.0 / (1UL << 53));

    /// <summary>A uniform index in 0..count-1, with a bias below count / 2^64.</summary>
    /// <exception cref="ArgumentOutOfRangeException">count is not positive.</exception>
    public int IndexAt(ulong counter, int count, uint lane = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return (int)Math.BigMul(At(counter, lane), (ulong)count, out _);
    }

    /// <summary>Fills the span with the numbers of lanes 0, 1, 2, ... of one place: the fast way to many numbers.</summary>
    public void Fill(ulong counter, Span<ulong> numbers)
    {
        for (int i = 0; i < numbers.Length; i += 4)
        {
            var block = BlockAt(counter, (ulong)i >> 2);
            numbers[i] = block.W0;
            if (i + 1 < numbers.Length) numbers[i + 1] = block.W1;
            if (i + 2 < numbers.Length) numbers[i + 2] = block.W2;
            if (i + 3 < numbers.Length) numbers[i + 3] = block.W3;
        }
    }

    private Philox.Block BlockAt(ulong counter, ulong group) =>
        Philox.Compute(counter, group, 0, NumbersDomain, (ulong)Key, (ulong)(Key >> 64));
}
