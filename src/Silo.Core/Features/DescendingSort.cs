using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Silo.Core.Features;

/// <summary>Sorts the logits that are not masked from the largest to the smallest, without allocating.</summary>
internal sealed class DescendingSort(int capacity)
{
    private const int RadixFrom = 96;     // below, comparing is faster than counting
    private const int MostInBucket = 32;  // more are put into buckets of their own
    private const int WideRadixFrom = 3000; // from here on, digits do better than buckets

    private readonly uint[] _keys = new uint[capacity];
    private readonly uint[] _other = new uint[capacity];
    private readonly float[] _sorted = new float[capacity];
    private readonly int[] _counts = new int[3 << 11];

    private readonly float[] _placed = new float[Math.Min(capacity, WideRadixFrom)];
    private readonly ushort[] _bucketOf = new ushort[Math.Min(capacity, WideRadixFrom)];

    /// <summary>The logits but -infinity in descending order (-0 becomes 0); valid until the next call. No NaN.</summary>
    public ReadOnlySpan<float> Sort(ReadOnlySpan<float> logits)
    {
        var n = 0;
        foreach (var z in logits)
            if (!float.IsNegativeInfinity(z)) _sorted[n++] = z + 0f; // -0 + 0 = 0
        var row = _sorted.AsSpan(0, n);
        if (n is >= RadixFrom and < WideRadixFrom)
        {
            SortByBuckets(row, levels: 3);
            return row;
        }
        for (var i = 0; i < n; i++) _keys[i] = Key(row[i]);
        var from = _keys.AsSpan(0, n);
        if (n < RadixFrom) from.Sort();
        else from = RadixSort(n, 11, 3);
        for (var i = 0; i < n; i++) row[i] = Value(from[i]);
        return row;
    }

    /// <summary>Sorts into buckets of equal width, which leaves little to be done; crowded ones in the same way once more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SortByBuckets(Span<float> row, int levels)
    {
        var buckets = row.Length < 512 ? 512 : row.Length < 1024 ? 1024 : 4096;
        var largest = TensorPrimitives.Max<float>(row);
        var smallest = TensorPrimitives.Min<float>(row);
        if (largest == smallest) return;
        if (levels == 0)
        {
            row.Sort();
            row.Reverse();
            return;
        }
        // Rounding keeps the order, so a larger logit is never in a later bucket.
        var scale = (buckets - 1) / (largest - smallest);
        var starts = _counts.AsSpan(0, buckets);
        starts.Clear();
        for (var i = 0; i < row.Length; i++)
        {
            var bucket = Math.Min((int)((largest - row[i]) * scale), buckets - 1);
            _bucketOf[i] = (ushort)bucket;
            starts[bucket]++;
        }
        Span<(int Start, int Length)> crowded = stackalloc (int, int)[WideRadixFrom / MostInBucket + 1];
        var found = 0;
        var start = 0;
        foreach (ref var slot in starts)
        {
            if (slot > MostInBucket) crowded[found++] = (start, slot);
            (slot, start) = (start, start + slot);
        }
        var to = _placed.AsSpan(0, row.Length);
        for (var i = 0; i < row.Length; i++) to[starts[_bucketOf[i]]++] = row[i];
        to.CopyTo(row);
        foreach (var (from, length) in crowded[..found]) SortByBuckets(row.Slice(from, length), levels - 1);
        for (var i = 1; i < row.Length; i++)
        {
            var z = row[i];
            if (row[i - 1] >= z) continue;
            var j = i;
            for (; j > 0 && row[j - 1] < z; j--) row[j] = row[j - 1];
            row[j] = z;
        }
    }

    /// <summary>Least significant digit first.</summary>
    private Span<uint> RadixSort(int n, int bits, int digits)
    {
        var values = 1 << bits;
        var mask = (uint)values - 1;
        Span<uint> from = _keys.AsSpan(0, n), to = _other.AsSpan(0, n);
        var all = _counts.AsSpan(0, digits * values);
        all.Clear();
        foreach (var key in from)
            for (var digit = 0; digit < digits; digit++) all[digit * values + (int)(key >> digit * bits & mask)]++;
        for (var digit = 0; digit < digits; digit++)
        {
            var starts = all.Slice(digit * values, values);
            var shift = digit * bits;
            if (starts[(int)(from[0] >> shift & mask)] == n) continue; // all the same
            var start = 0;
            foreach (ref var slot in starts) (slot, start) = (start, start + slot);
            foreach (var key in from) to[starts[(int)(key >> shift & mask)]++] = key;
            var swap = from;
            from = to;
            to = swap;
        }
        return from;
    }

    /// <summary>An unsigned number that is smaller for a larger logit.</summary>
    private static uint Key(float z)
    {
        var bits = BitConverter.SingleToInt32Bits(z);
        return ~(uint)(bits ^ (bits >> 31 | int.MinValue));
    }

    private static float Value(uint key)
    {
        var ordered = (int)~key;
        return BitConverter.Int32BitsToSingle(ordered < 0 ? ordered ^ int.MinValue : ~ordered);
    }
}
