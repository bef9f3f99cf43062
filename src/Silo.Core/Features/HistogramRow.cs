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

    private readonly int _captureSize;
    private readonly int[] _cursor = new int[2 * Half];  // where the next token of a wanted bucket goes; 0 = not wanted
    private readonly float[] _picked;                    // logits of the wanted buckets, from 1 on
    private readonly float[] _scratch = new float[BucketCapacity];
    private readonly int[] _slots = new int[257];
    private readonly int[] _tokensAbove = new int[LogitHistogram.MaxBuckets / LogitHistogram.Block + 1];
    private readonly int[] _wanted;
    private readonly int[] _start;
    private readonly ushort[] _filter = new ushort[64];
    private int _wantedCount, _used, _xBucket, _xSlot, _cut;

    /// <param name="vocabularySize">V.</param>
    /// <param name="captureSize">K.</param>
    /// <param name="mostWanted">Most tail buckets wanted at once.</param>
    public HistogramRow(int vocabularySize, int captureSize, int mostWanted)
    {
        _captureSize = captureSize;
        Histogram = new LogitHistogram(vocabularySize);
        TopCapacity = captureSize + BucketCapacity + 8;
        Top = new double[TopCapacity];
        TopWeight = new double[TopCapacity];
        _picked = new float[TopCapacity + mostWanted * BucketCapacity + 8];
        _wanted = new int[mostWanted];
        _start = new int[mostWanted];
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
    public double TailCeiling => (Histogram.Lowest + _cut) * Histogram.Width - Histogram.Largest;

    /// <summary>Position of x in the order, once its bucket was picked.</summary>
    public int RankX { get; private set; }

    /// <summary>The largest logits in descending order.</summary>
    public ReadOnlySpan<float> TopLogits => _picked.AsSpan(1, TopCount);

    /// <summary>z - max at the centre of a bucket.</summary>
    public double Centre(int bucket) => (Histogram.Lowest + bucket + 0.5) * Histogram.Width - Histogram.Largest;

    /// <summary>The bucket in which a z - max lies.</summary>
    public int BucketAt(double shifted) =>
        (int)Math.Clamp(Math.Floor((shifted + Histogram.Largest) / Histogram.Width) - Histogram.Lowest, -1, Histogram.Length);

    /// <summary>Number of tokens above a block of the tail.</summary>
    public int TokensAbove(int block) => _tokensAbove[block];

    /// <summary>Reads a row; false where it does not fit the histogram.</summary>
    public bool TryFill(ReadOnlySpan<float> logits, int token)
    {
        if (!Histogram.TryFill(logits)) return false;
        PlaceTop();
        _xBucket = Histogram.BucketOf[token];
        CollectTop(logits, 0, token);
        _xSlot = _cursor[Half + _xBucket];
        CollectTop(logits, token, logits.Length);
        if (_xBucket - Histogram.Lowest >= _cut) RankX = Rank(logits[token], _xSlot, _cursor[Half + _xBucket], 0);
        SortTop();
        CountTail();
        _wantedCount = 0;
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
        _used = 1;
        while (_used <= _captureSize && j > 0)
        {
            if (count[--j] == 0) continue;
            _cursor[Half + Histogram.Lowest + j] = _used;
            _used += (int)count[j];
        }
        TopCount = _used - 1;
        _cut = j;
    }

    /// <summary>Sorts what was collected, and takes the top out of the histogram's last block.</summary>
    private void SortTop()
    {
        var count = Histogram.Count;
        for (var j = Histogram.Highest - Histogram.Lowest; j >= _cut; j--)
        {
            if (count[j] == 0) continue;
            ref var end = ref _cursor[Half + Histogram.Lowest + j];
            SortDescending(_picked.AsSpan(end - (int)count[j], (int)count[j]), Histogram.Lowest + j);
            end = 0;
        }
        TailBlocks = (_cut + LogitHistogram.Block - 1) / LogitHistogram.Block;
        for (var j = _cut; j < TailBlocks * LogitHistogram.Block; j++) count[j] = Histogram.First[j] = Histogram.Second[j] = 0;
        TopPadded = (TopCount + 7) & ~7;
        for (var i = 0; i < TopPadded; i++)
        {
            Top[i] = i < TopCount ? _picked[1 + i] - (double)Histogram.Largest : 0;
            TopWeight[i] = i < TopCount ? 1 : 0;
        }
    }

    private void CountTail()
    {
        var tokens = TopCount;
        for (var block = TailBlocks - 1; block >= 0; block--)
        {
            _tokensAbove[block + 1] = tokens;
            var lanes = Vector512<double>.Zero;
            for (var k = 0; k < LogitHistogram.Block; k += 8)
                lanes += Vector512.Load(Histogram.Count.Start + block * LogitHistogram.Block + k);
            tokens += (int)Lanes.Sum(lanes);
        }
        _tokensAbove[0] = tokens;
    }

    /// <summary>Asks for the tokens of a bucket of the tail (-1, or a bucket of the top: nothing).</summary>
    public void Want(int bucket)
    {
        if (bucket < 0 || bucket >= _cut || _cursor[Half + Histogram.Lowest + bucket] != 0) return;
        _cursor[Half + Histogram.Lowest + bucket] = _used;
        _wanted[_wantedCount] = bucket;
        _start[_wantedCount++] = _used;
        _used += (int)Histogram.Count[bucket];
    }

    /// <summary>Asks for x's bucket, where it is not at the top.</summary>
    public void WantX()
    {
        Want(_xBucket - Histogram.Lowest);
    }

    /// <summary>Fetches the wanted buckets, in descending order each.</summary>
    public void Pick(ReadOnlySpan<float> logits, int token)
    {
        if (_wantedCount == 0) return;
        _filter.AsSpan().Clear();
        for (var i = 0; i < _wantedCount; i++)
        {
            var bucket = (ushort)(Histogram.Lowest + _wanted[i]);
            _filter[bucket >> 4 & 63] |= (ushort)(1 << (bucket & 15));
        }
        Collect(logits, 0, token);
        _xSlot = _cursor[Half + _xBucket];
        Collect(logits, token, logits.Length);
        for (var i = 0; i < _wantedCount; i++)
        {
            var bucket = Histogram.Lowest + _wanted[i];
            var end = _cursor[Half + bucket];
            if (bucket == _xBucket) RankX = Rank(logits[token], _xSlot, end, TokensAboveBucket(_wanted[i]));
            SortDescending(_picked.AsSpan(_start[i], end - _start[i]), bucket);
        }
    }

    /// <summary>The picked logits of a bucket of the tail, in descending order.</summary>
    public ReadOnlySpan<float> Tokens(int bucket) =>
        _picked.AsSpan(_cursor[Half + Histogram.Lowest + bucket] - (int)Histogram.Count[bucket], (int)Histogram.Count[bucket]);

    /// <summary>Forgets what was wanted.</summary>
    public void Release()
    {
        for (var i = 0; i < _wantedCount; i++) _cursor[Half + Histogram.Lowest + _wanted[i]] = 0;
        _wantedCount = 0;
        _used = TopCount + 1;
    }

    private int TokensAboveBucket(int bucket)
    {
        var block = bucket / LogitHistogram.Block;
        var tokens = _tokensAbove[block + 1];
        for (var j = (block + 1) * LogitHistogram.Block - 1; j > bucket; j--) tokens += (int)Histogram.Count[j];
        return tokens;
    }

    /// <summary>Tokens of a bucket stand in the order of their ids; those before x's place have lower ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Rank(float x, int slot, int end, int above)
    {
        var from = end - (int)Histogram.Count[_xBucket - Histogram.Lowest];
        var rank = 1 + (from <= TopCount ? from - 1 : above);
        foreach (var z in _picked.AsSpan(from, slot - from)) rank += z >= x ? 1 : 0;
        foreach (var z in _picked.AsSpan(slot, end - slot)) rank += z > x ? 1 : 0;
        return rank;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CollectTop(ReadOnlySpan<float> logits, int from, int to)
    {
        var lowest = (short)(Histogram.Lowest + _cut);
        var threshold = Vector512.Create(lowest);
        fixed (float* z = logits)
        fixed (int* c = _cursor)
        fixed (float* p = _picked)
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
        fixed (int* c = _cursor)
        fixed (float* p = _picked)
        {
            var b = Histogram.BucketOf;
            var i = from;
            if (Avx512BW.IsSupported)
            {
                // The wanted buckets modulo 1,024 are the bits of two registers; what shares a bit is sorted out after.
                var lower = Vector512.Create<ushort>(_filter.AsSpan(0, 32));
                var upper = Vector512.Create<ushort>(_filter.AsSpan(32, 32));
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
                    for (var k = 0; k < _wantedCount; k++)
                        any |= Vector256.Equals(v, Vector256.Create((short)(Histogram.Lowest + _wanted[k])));
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
            _slots.AsSpan().Clear();
            foreach (var v in z) _slots[Part(v) + 1]++;
            for (var i = 1; i < 257; i++) _slots[i] += _slots[i - 1];
            var sorted = _scratch.AsSpan(0, z.Length);
            foreach (var v in z) sorted[_slots[Part(v)]++] = v;
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
