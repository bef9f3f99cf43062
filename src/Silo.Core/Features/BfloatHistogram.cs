using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Silo.Core.Features;

/// <summary>
/// Rows whose logits are bfloat16 numbers, as many models give them: at most 2^16 different values, so a count per bit
/// pattern is the whole row, exactly and already in order.
/// </summary>
internal sealed unsafe class BfloatHistogram
{
    private const int Patterns = 1 << 16, Sign = 1 << 15, Infinity = 0x7F80;

    private readonly int[] _counts = new int[Patterns];

    /// <summary>Whether the beginning of a row looks like bfloat16.</summary>
    public static bool LooksRounded(ReadOnlySpan<float> logits)
    {
        uint low = 0;
        foreach (var z in logits[..Math.Min(64, logits.Length)]) low |= BitConverter.SingleToUInt32Bits(z);
        return (low & 0xFFFF) == 0;
    }

    /// <summary>
    /// Lists the distinct logits of a row in descending order; false where it has others than finite bfloat16 numbers and
    /// -infinity, which masks.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryFill(ReadOnlySpan<float> logits, WeightedTokens tokens)
    {
        fixed (float* z = logits)
        fixed (int* c = _counts)
        {
            ulong low = 0;
            var i = 0;
            for (; i <= logits.Length - 4; i += 4)
            {
                var (two, next) = (*(ulong*)(z + i), *(ulong*)(z + i + 2));
                low |= two | next;
                c[(ushort)(two >> 16)]++;
                c[two >> 48]++;
                c[(ushort)(next >> 16)]++;
                c[next >> 48]++;
            }
            for (; i < logits.Length; i++)
            {
                var one = *(uint*)(z + i);
                low |= one;
                c[one >> 16]++;
            }
            if ((low & 0x0000FFFF0000FFFF) != 0)
            {
                _counts.AsSpan().Clear();
                return false;
            }
        }
        return List(tokens);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool List(WeightedTokens tokens)
    {
        tokens.Clear();
        _counts[Sign | Infinity] = 0; // masked tokens
        var usual = true;
        for (var from = Sign - 32; from >= 0; from -= 32)
        {
            var present = Present(from);
            for (; present != 0; present &= ~(1u << BitOperations.Log2(present)))
            {
                var pattern = from + BitOperations.Log2(present);
                usual &= pattern < Infinity;
                if (pattern > 0) tokens.Add(Value(pattern), Take(pattern));
            }
        }
        var zeros = Take(0) + Take(Sign);
        if (zeros > 0) tokens.Add(0, zeros);
        for (var from = Sign; from < Patterns; from += 32)
        {
            var present = Present(from);
            for (; present != 0; present &= present - 1)
            {
                var pattern = from + BitOperations.TrailingZeroCount(present);
                usual &= pattern < (Sign | Infinity);
                tokens.Add(Value(pattern), Take(pattern));
            }
        }
        return usual && tokens.Distinct > 0;
    }

    private int Take(int pattern)
    {
        var count = _counts[pattern];
        _counts[pattern] = 0;
        return count;
    }

    private static float Value(int pattern) => BitConverter.UInt32BitsToSingle((uint)pattern << 16);

    /// <summary>Which of 32 patterns occur.</summary>
    private uint Present(int from)
    {
        var low = Vector512.Create(_counts, from);
        var high = Vector512.Create(_counts, from + 16);
        if ((low | high) == Vector512<int>.Zero) return 0;
        return (uint)(~Vector512.Equals(low, Vector512<int>.Zero).ExtractMostSignificantBits() & 0xFFFF)
            | (uint)(~Vector512.Equals(high, Vector512<int>.Zero).ExtractMostSignificantBits() & 0xFFFF) << 16;
    }
}
