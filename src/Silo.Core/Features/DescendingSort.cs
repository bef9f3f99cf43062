namespace Silo.Core.Features;

/// <summary>Sorts the logits that are not masked from the largest to the smallest, without allocating.</summary>
internal sealed class DescendingSort(int capacity)
{
    private const int Radix = 11;
    private const int Digits = 1 << Radix;
    private const int RadixFrom = 700;

    private readonly uint[] keys = new uint[capacity];
    private readonly uint[] other = new uint[capacity];
    private readonly float[] sorted = new float[capacity];
    private readonly int[] counts = new int[3 * Digits];

    /// <summary>The logits but -infinity in descending order (-0 becomes 0); valid until the next call. No NaN.</summary>
    public ReadOnlySpan<float> Sort(ReadOnlySpan<float> logits)
    {
        var n = 0;
        foreach (var z in logits)
            if (!float.IsNegativeInfinity(z)) keys[n++] = Key(z);
        var from = keys.AsSpan(0, n);
        if (n < RadixFrom) from.Sort();
        else from = RadixSort(n);
        for (var i = 0; i < n; i++) sorted[i] = Value(from[i]);
        return sorted.AsSpan(0, n);
    }

    /// <summary>Least significant digit first; the three counts are made in one reading.</summary>
    private Span<uint> RadixSort(int n)
    {
        Span<int> low = counts.AsSpan(0, Digits), middle = counts.AsSpan(Digits, Digits), high = counts.AsSpan(2 * Digits, Digits);
        counts.AsSpan().Clear();
        foreach (var key in keys.AsSpan(0, n))
        {
            low[(int)(key & (Digits - 1))]++;
            middle[(int)(key >> Radix & (Digits - 1))]++;
            high[(int)(key >> 2 * Radix)]++;
        }
        Span<uint> from = keys.AsSpan(0, n), to = other.AsSpan(0, n);
        for (var digit = 0; digit < 3; digit++)
        {
            var starts = counts.AsSpan(digit * Digits, Digits);
            var shift = digit * Radix;
            if (starts[(int)(from[0] >> shift & (Digits - 1))] == n) continue; // all the same
            var start = 0;
            for (var i = 0; i < Digits; i++)
            {
                var count = starts[i];
                starts[i] = start;
                start += count;
            }
            foreach (var key in from) to[starts[(int)(key >> shift & (Digits - 1))]++] = key;
            var swap = from;
            from = to;
            to = swap;
        }
        return from;
    }

    /// <summary>An unsigned number that is smaller for a larger logit.</summary>
    private static uint Key(float z)
    {
        var bits = BitConverter.SingleToInt32Bits(z + 0f); // -0 + 0 = 0
        return ~(uint)(bits ^ (bits >> 31 | int.MinValue));
    }

    private static float Value(uint key)
    {
        var ordered = (int)~key;
        return BitConverter.Int32BitsToSingle(ordered < 0 ? ordered ^ int.MinValue : ~ordered);
    }
}
