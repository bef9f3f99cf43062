using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Silo.Core.Features;

/// <summary>
/// A row as the fast kernel sees it: its top tokens sorted one by one, the rest (the tail) by bucket, and on demand the
/// tokens of single buckets of the tail.
/// </summary>
internal sealed unsafe class HistogramRow
{
    /// <summary>Tokens that one bucket can hold.</summary>
    private const int BucketCapacity = 1 << 10;

    private const int Half = 1 << 15;
    private const int InsertionBelow = 24;

    private readonly int captureSize;
    private readonly int[] cursor = new int[2 * Half];  // where the next token of a wanted bucket goes; 0 = not wanted
    private readonly float[] picked;                    // logits of the wanted buckets, from 1 on
    private readonly float[] scratch = new float[BucketCapacity];
    private readonly int[] slots = new int[257];
    private readonly int[] tokensAbove = new int[LogitHistogram.MaxBuckets / LogitHistogram.Block + 1];
    private readonly int[] wanted;
    private readonly int[] start;
    private readonly ushort[] filter = new ushort[64];
    private int wantedCount, used, xBucket, xSlot, cut;

    /// <param name="vocabularySize">V.</param>
    /// <param name="captureSize">K.</param>
    /// <param name="mostWanted">Most tail buckets wanted at once.</param>
    public HistogramRow(int vocabularySize, int captureSize, int mostWanted)
    {
        this.captureSize = captureSize;
        Histogram = new LogitHistogram(vocabularySize);
        TopCapacity = captureSize + BucketCapacity + 8;
        Top = new double[TopCapacity];
        TopWeight = new double[TopCapacity];
        picked = new float[TopCapacity + mostWanted * BucketCapacity + 8];
        wanted = new int[mostWanted];
        start = new int[mostWanted];
    }

    public LogitHistogram Histogram { get; }

    public int TopCapacity { get; }

    /// <summary>z - max of the top tokens in descending order: whole buckets, at least K tokens.</summary>
    public double[] Top { get; }

    /// <summary>1 for each top token, 0 in the padding.</summary>
    public double[] TopWeight { get; }

    public int TopCount { get; private set; }

    /// <summary><see cref="TopCount"/> up to whole vectors.</summary>
    public int TopPadded { get; private set; }

    /// <summary>Blocks of the histogram that hold the tail; buckets of the top in the last one are empty.</summary>
    public int TailBlocks { get; private set; }

    /// <summary>No z - max of the tail is above this.</summary>
    public double TailCeiling => (Histogram.Lowest + cut) * Histogram.Width - Histogram.Largest;

    /// <summary>Position of x in the order, once its bucket was picked.</summary>
    public int RankX { get; private set; }

    /// <summary>The largest logits in descending order.</summary>
    public ReadOnlySpan<float> TopLogits => picked.AsSpan(1, TopCount);

    /// <summary>z - max at the centre of a bucket.</summary>
    public double Centre(int bucket) => (Histogram.Lowest + bucket + 0.5) * Histogram.Width - Histogram.Largest;

    /// <summary>The bucket in which a z - max lies.</summary>
    public int BucketAt(double shifted) =>
        (int)Math.Clamp(Math.Floor((shifted + Histogram.Largest) / Histogram.Width) - Histogram.Lowest, -1, Histogram.Length);

    /// <summary>Number of tokens above a block of the tail.</summary>
    public int TokensAbove(int block) => tokensAbove[block];

    /// <summary>Reads a row; false where it does not fit the histogram.</summary>
    public bool TryFill(ReadOnlySpan<float> logits, int token)
    {
        if (!Histogram.TryFill(logits)) return false;
        PlaceTop();
        xBucket = Histogram.BucketOf[token];
        CollectTop(logits, 0, token);
        xSlot = cursor[Half + xBucket];
        CollectTop(logits, token, logits.Length);
        if (xBucket - Histogram.Lowest >= cut) RankX = Rank(logits[token], xSlot, cursor[Half + xBucket], 0);
        SortTop();
        CountTail();
        wantedCount = 0;
        return true;
    }

    /// <summary>
    /// Finds the buckets of the top and gives them their places in descending order, so that the top is almost sorted once
    /// it is collected.
    /// </summary>
    private void PlaceTop()
    {
        var count = Histogram.Count;
        var j = Histogram.Highest - Histogram.Lowest + 1;
        used = 1;
        while (used <= captureSize && j > 0)
        {
            if (count[--j] == 0) continue;
            cursor[Half + Histogram.Lowest + j] = used;
            used += (int)count[j];
        }
        TopCount = used - 1;
        cut = j;
    }

    /// <summary>Sorts what was collected, and takes the top out of the histogram's last block.</summary>
    private void SortTop()
    {
        var count = Histogram.Count;
        for (var j = Histogram.Highest - Histogram.Lowest; j >= cut; j--)
        {
            if (count[j] == 0) continue;
            ref var end = ref cursor[Half + Histogram.Lowest + j];
            SortDescending(picked.AsSpan(end - (int)count[j], (int)count[j]), Histogram.Lowest + j);
            end = 0;
        }
        TailBlocks = (cut + LogitHistogram.Block - 1) / LogitHistogram.Block;
        for (var j = cut; j < TailBlocks * LogitHistogram.Block; j++) count[j] = Histogram.First[j] = Histogram.Second[j] = 0;
        TopPadded = (TopCount + 7) & ~7;
        for (var i = 0; i < TopPadded; i++)
        {
            Top[i] = i < TopCount ? picked[1 + i] - (double)Histogram.Largest : 0;
            TopWeight[i] = i < TopCount ? 1 : 0;
        }
    }

    private void CountTail()
    {
        var tokens = TopCount;
        for (var block = TailBlocks - 1; block >= 0; block--)
        {
            tokensAbove[block + 1] = tokens;
            var lanes = Vector512<double>.Zero;
            for (var k = 0; k < LogitHistogram.Block; k += 8)
                lanes += Vector512.Load(Histogram.Count.Start + block * LogitHistogram.Block + k);
            tokens += (int)Lanes.Sum(lanes);
        }
        tokensAbove[0] = tokens;
    }

    /// <summary>Asks for the tokens of a bucket of the tail (-1, or a bucket of the top: nothing).</summary>
    public void Want(int bucket)
    {
        if (bucket < 0 || bucket >= cut || cursor[Half + Histogram.Lowest + bucket] != 0) return;
        cursor[Half + Histogram.Lowest + bucket] = used;
        wanted[wantedCount] = bucket;
        start[wantedCount++] = used;
        used += (int)Histogram.Count[bucket];
    }

    /// <summary>Asks for x's bucket, where it is not at the top.</summary>
    public void WantX()
    {
        Want(xBucket - Histogram.Lowest);
    }

    /// <summary>Fetches the wanted buckets, in descending order each.</summary>
    public void Pick(ReadOnlySpan<float> logits, int token)
    {
        if (wantedCount == 0) return;
        filter.AsSpan().Clear();
        for (var i = 0; i < wantedCount; i++)
        {
            var bucket = (ushort)(Histogram.Lowest + wanted[i]);
            filter[bucket >> 4 & 63] |= (ushort)(1 << (bucket & 15));
        }
        Collect(logits, 0, token);
        xSlot = cursor[Half + xBucket];
        Collect(logits, token, logits.Length);
        for (var i = 0; i < wantedCount; i++)
        {
            var bucket = Histogram.Lowest + wanted[i];
            var end = cursor[Half + bucket];
            if (bucket == xBucket) RankX = Rank(logits[token], xSlot, end, TokensAboveBucket(wanted[i]));
            SortDescending(picked.AsSpan(start[i], end - start[i]), bucket);
        }
    }

    /// <summary>The picked logits of a bucket of the tail, in descending order.</summary>
    public ReadOnlySpan<float> Tokens(int bucket) =>
        picked.AsSpan(cursor[Half + Histogram.Lowest + bucket] - (int)Histogram.Count[bucket], (int)Histogram.Count[bucket]);

    /// <summary>Forgets what was wanted.</summary>
    public void Release()
    {
        for (var i = 0; i < wantedCount; i++) cursor[Half + Histogram.Lowest + wanted[i]] = 0;
        wantedCount = 0;
        used = TopCount + 1;
    }

    private int TokensAboveBucket(int bucket)
    {
        var block = bucket / LogitHistogram.Block;
        var tokens = tokensAbove[block + 1];
        for (var j = (block + 1) * LogitHistogram.Block - 1; j > bucket; j--) tokens += (int)Histogram.Count[j];
        return tokens;
    }

    /// <summary>Tokens of a bucket stand in the order of their ids; those before x's place have lower ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Rank(float x, int slot, int end, int above)
    {
        var from = end - (int)Histogram.Count[xBucket - Histogram.Lowest];
        var rank = 1 + (from <= TopCount ? from - 1 : above);
        foreach (var z in picked.AsSpan(from, slot - from)) rank += z >= x ? 1 : 0;
        foreach (var z in picked.AsSpan(slot, end - slot)) rank += z > x ? 1 : 0;
        return rank;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CollectTop(ReadOnlySpan<float> logits, int from, int to)
    {
        var lowest = (short)(Histogram.Lowest + cut);
        var threshold = Vector512.Create(lowest);
        fixed (float* z = logits)
        fixed (int* c = cursor)
        fixed (float* p = picked)
        {
            var b = Histogram.BucketOf;
            var i = from;
            for (; i <= to - 128; i += 128)
            {
                Vector512<short> v0 = Vector512.Load(b + i), v1 = Vector512.Load(b + i + 32);
                Vector512<short> v2 = Vector512.Load(b + i + 64), v3 = Vector512.Load(b + i + 96);
                if (!Vector512.GreaterThanOrEqualAny(Vector512.Max(Vector512.Max(v0, v1), Vector512.Max(v2, v3)), threshold)) continue;
                for (var id = i; id < i + 128; id += 32)
                {
                    var hits = Vector512.GreaterThanOrEqual(Vector512.Load(b + id), threshold).ExtractMostSignificantBits();
                    for (; hits != 0; hits &= hits - 1)
                    {
                        var hit = id + BitOperations.TrailingZeroCount(hits);
                        p[c[Half + b[hit]]++] = z[hit];
                    }
                }
            }
            for (; i < to; i++)
                if (b[i] >= lowest) p[c[Half + b[i]]++] = z[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Collect(ReadOnlySpan<float> logits, int from, int to)
    {
        fixed (float* z = logits)
        fixed (int* c = cursor)
        fixed (float* p = picked)
        {
            var b = Histogram.BucketOf;
            var i = from;
            if (Avx512BW.IsSupported)
            {
                // The wanted buckets modulo 1,024 are the bits of two registers; what shares a bit is sorted out after.
                var lower = Vector512.Create<ushort>(filter.AsSpan(0, 32));
                var upper = Vector512.Create<ushort>(filter.AsSpan(32, 32));
                var fifteen = Vector512.Create((ushort)15);
                for (; i <= to - 64; i += 64)
                {
                    var (v0, v1) = (Vector512.Load((ushort*)b + i), Vector512.Load((ushort*)b + i + 32));
                    // The bucket's bit, shifted into the sign.
                    var bits0 = Avx512BW.ShiftLeftLogicalVariable(
                        Avx512BW.PermuteVar32x16x2(lower, Vector512.ShiftRightLogical(v0, 4), upper), Vector512.AndNot(fifteen, v0));
                    var bits1 = Avx512BW.ShiftLeftLogicalVariable(
                        Avx512BW.PermuteVar32x16x2(lower, Vector512.ShiftRightLogical(v1, 4), upper), Vector512.AndNot(fifteen, v1));
                    var hits = bits0.ExtractMostSignificantBits() | bits1.ExtractMostSignificantBits() << 32;
                    for (; hits != 0; hits &= hits - 1)
                    {
                        var id = i + BitOperations.TrailingZeroCount(hits);
                        var place = c[Half + b[id]];
                        if (place == 0) continue;
                        p[place] = z[id];
                        c[Half + b[id]] = place + 1;
                    }
                }
            }
            else
            {
                for (; i <= to - 16; i += 16)
                {
                    var v = Vector256.Load(b + i);
                    var any = Vector256<short>.Zero;
                    for (var k = 0; k < wantedCount; k++)
                        any |= Vector256.Equals(v, Vector256.Create((short)(Histogram.Lowest + wanted[k])));
                    for (var hits = any.ExtractMostSignificantBits(); hits != 0; hits &= hits - 1)
                    {
                        var id = i + BitOperations.TrailingZeroCount(hits);
                        p[c[Half + b[id]]++] = z[id];
                    }
                }
            }
            for (; i < to; i++)
            {
                var place = c[Half + b[i]];
                if (place == 0) continue;
                p[place] = z[i];
                c[Half + b[i]] = place + 1;
            }
        }
    }

    /// <summary>Sorts the logits of one bucket: small ones by insertion, others first into 256 parts of the bucket.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SortDescending(Span<float> z, int bucket)
    {
        if (z.Length > InsertionBelow)
        {
            float scale = (float)(1 / Histogram.Width), floor = bucket;
            slots.AsSpan().Clear();
            foreach (var v in z) slots[Part(v) + 1]++;
            for (var i = 1; i < 257; i++) slots[i] += slots[i - 1];
            var sorted = scratch.AsSpan(0, z.Length);
            foreach (var v in z) sorted[slots[Part(v)]++] = v;
            sorted.CopyTo(z);

            int Part(float v) => (int)((1 - (v * scale - floor)) * 255.9f);
        }
        for (var i = 1; i < z.Length; i++)
        {
            var v = z[i];
            var j = i - 1;
            for (; j >= 0 && z[j] < v; j--) z[j + 1] = z[j];
            z[j + 1] = v;
        }
    }
}
