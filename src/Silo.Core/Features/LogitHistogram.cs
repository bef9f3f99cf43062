using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Silo.Core.Numerics;

namespace Silo.Core.Features;

/// <summary>
/// One row of logits in buckets of an absolute grid, with the exact integer moments of each bucket: what
/// <see cref="HistogramFeatures"/> sums over at every temperature. See docs/kernel.md.
/// </summary>
/// <remarks>
/// y = z * 2^g; the bucket is floor(y), the residual s = y - floor(y) - 1/2 in [-1/2, 1/2]. A bucket is one 64-bit word to
/// which every token adds: bits 0..23 the sum of floor(s² 2^16), bits 24..33 the count, bits 34..63 the sum of s 2^20,
/// signed. Sums of integers depend neither on order nor on vector width. A bucket holds at most 1,023 tokens; more are
/// noticed, since then the counts no longer add up to V (each overflow takes 1,024 from the total and its carry gives back
/// at most one for every 1,024 tokens).
/// </remarks>
internal sealed unsafe class LogitHistogram
{
    /// <summary>Longest row: the argument that overflows are noticed needs V below 2^20.</summary>
    public const int MaxVocabulary = 1_000_000;

    /// <summary>Most buckets between the smallest and the largest logit, in whole blocks.</summary>
    public const int MaxBuckets = 1 << 14;

    /// <summary>Buckets are summed in blocks of this many.</summary>
    public const int Block = 64;

    private const int CoarsestGrid = 7, FinestGrid = 13;
    private const int NarrowBelow = 512;
    private const int Half = 1 << 15;
    private const int Stage = 128;
    private const float FirstScale = 1 << 20, SecondScale = 1 << 16;

    private readonly AlignedBuffer<ulong> _words = new(2 * Half);
    private readonly AlignedBuffer<short> _bucketOf;
    private readonly AlignedBuffer<ulong> _stage = new(Stage);

    public LogitHistogram(int vocabularySize)
    {
        _bucketOf = new AlignedBuffer<short>(vocabularySize + 64);
    }

    /// <summary>floor(z 2^g) of every token.</summary>
    public short* BucketOf => _bucketOf.Start;

    /// <summary>Per bucket from <see cref="Lowest"/> on: the number of tokens.</summary>
    public AlignedBuffer<double> Count { get; } = new(MaxBuckets);

    /// <summary>Per bucket: the sum of s.</summary>
    public AlignedBuffer<double> First { get; } = new(MaxBuckets);

    /// <summary>Per bucket: the sum of s².</summary>
    public AlignedBuffer<double> Second { get; } = new(MaxBuckets);

    /// <summary>Bucket number of the first entry of the arrays, a multiple of <see cref="Block"/>.</summary>
    public int Lowest { get; private set; }

    /// <summary>Entries of the arrays in use, a multiple of <see cref="Block"/>.</summary>
    public int Length { get; private set; }

    /// <summary>Bucket number of the largest logit.</summary>
    public int Highest { get; private set; }

    /// <summary>Width of a bucket, 2^-g.</summary>
    public double Width { get; private set; }

    /// <summary>The largest logit.</summary>
    public float Largest { get; private set; }

    /// <summary>Sorts a row into the buckets; false where it does not fit (masks, range, crowded buckets).</summary>
    public bool TryFill(ReadOnlySpan<float> logits)
    {
        // A row that crowds into few buckets is tried again on finer grids: its counts overflow, or distances that are as
        // small as the row is narrow would show the width of the buckets.
        for (var g = CoarsestGrid; g <= FinestGrid; g += 3)
        {
            var outcome = TryFill(logits, g);
            if (outcome != Outcome.Crowded) return outcome == Outcome.Filled;
        }
        return false;
    }

    private enum Outcome { Filled, Unfit, Crowded }

    private Outcome TryFill(ReadOnlySpan<float> logits, int g)
    {
        float scale = 1 << g, smallest, largest;
        bool finite;
        fixed (float* z = logits)
        {
            finite = Avx512BW.IsSupported
                ? Scatter512(z, logits.Length, scale, _words.Start + Half, _stage.Start, _bucketOf.Start, out smallest, out largest)
                : Scatter256(z, logits.Length, scale, _words.Start + Half, _stage.Start, _bucketOf.Start, out smallest, out largest);
        }
        if (!finite || !(smallest * scale > -Half + 1) || !(largest * scale < Half - 1))
        {
            _words.Span.Clear();
            return Outcome.Unfit;
        }
        Largest = largest + 0f; // whether -0 or 0 came first is the machine's affair
        Width = 1.0 / scale;
        Highest = (int)MathF.Floor(largest * scale);
        var lowest = (int)MathF.Floor(smallest * scale);
        Lowest = lowest & ~(Block - 1);
        Length = (Highest - Lowest + Block) & ~(Block - 1);
        if (Length > MaxBuckets)
        {
            _words.Span.Slice(Half + lowest, Highest - lowest + 1).Clear();
            return Outcome.Unfit;
        }
        var total = Decode();
        return total != logits.Length || (Length < NarrowBelow && g < FinestGrid) ? Outcome.Crowded : Outcome.Filled;
    }

    /// <summary>Unpacks the words into the arrays and clears them; returns the sum of the counts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double Decode()
    {
        var total = Vector512<double>.Zero;
        // An integer below 2^52 becomes a double by standing in the mantissa of 2^52.
        var exponent = Vector512.Create(0x4330000000000000L);
        var two52 = Vector512.Create(4503599627370496.0);
        var from = (long*)_words.Start + Half + Lowest;
        double* count = Count.Start, first = First.Start, second = Second.Start;
        for (var i = 0; i < Length; i += 8)
        {
            var word = Vector512.Load(from + i);
            Vector512<long>.Zero.Store(from + i);
            var squares = ((word & Vector512.Create(0xFFFFFFL)) | exponent).AsDouble() - two52;
            var n = ((Vector512.ShiftRightLogical(word, 24) & Vector512.Create(0x3FFL)) | exponent).AsDouble() - two52;
            var sums = (Vector512.ShiftRightLogical(word ^ Vector512.Create(long.MinValue), 34) | exponent).AsDouble()
                - Vector512.Create(4503599627370496.0 + (1 << 29));
            n.Store(count + i);
            (sums * Vector512.Create(1.0 / (1 << 20))).Store(first + i);
            // The squares were cut, not rounded: half a unit a token puts the error in the middle.
            ((squares + n * Vector512.Create(0.5)) * Vector512.Create(1.0 / (1 << 16))).Store(second + i);
            total += n;
        }
        return Lanes.Sum(total);
    }

    /// <summary>The pass over the row; the additions to memory stay 64 tokens behind the arithmetic.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Scatter512(
        float* z, int n, float scale, ulong* words, ulong* stage, short* bucketOf, out float smallest, out float largest)
    {
        var min = Vector512.Create(float.PositiveInfinity);
        var max = -min;
        var check = Vector512<float>.Zero;
        var vScale = Vector512.Create(scale);
        var half = Vector512.Create(0.5f);
        var vFirst = Vector512.Create(FirstScale);
        var vSecond = Vector512.Create(SecondScale);
        var one = Vector512.Create(1 << 24);
        var whole = n & ~15;
        for (var i = 0; i < whole + 64; i += 16)
        {
            if (i < whole)
            {
                var v = Vector512.Load(z + i);
                min = Vector512.MinNative(min, v);
                max = Vector512.MaxNative(max, v);
                var y = v * vScale;
                var floor = Vector512.Floor(y);
                var s = y - floor - half;
                check += s; // NaN for NaN and infinities
                Avx512F.ConvertToVector256Int16(Vector512.ConvertToInt32Native(floor)).Store(bucketOf + i);
                var first = Vector512.ShiftLeft(Vector512.ConvertToInt32Native(s * vFirst), 2);
                var second = Vector512.ConvertToInt32Native(s * s * vSecond) + one;
                var to = stage + (i & (Stage - 1));
                Avx512F.UnpackLow(second, first).Store((int*)to);
                Avx512F.UnpackHigh(second, first).Store((int*)(to + 8));
            }
            if (i >= 64)
            {
                // The unpacked halves hold tokens 0 1 4 5 8 9 12 13 and 2 3 6 7 10 11 14 15.
                var from = stage + ((i - 64) & (Stage - 1));
                var b = bucketOf + i - 64;
                words[b[0]] += from[0];
                words[b[1]] += from[1];
                words[b[4]] += from[2];
                words[b[5]] += from[3];
                words[b[8]] += from[4];
                words[b[9]] += from[5];
                words[b[12]] += from[6];
                words[b[13]] += from[7];
                words[b[2]] += from[8];
                words[b[3]] += from[9];
                words[b[6]] += from[10];
                words[b[7]] += from[11];
                words[b[10]] += from[12];
                words[b[11]] += from[13];
                words[b[14]] += from[14];
                words[b[15]] += from[15];
            }
        }
        smallest = min.GetElement(0);
        largest = max.GetElement(0);
        for (var i = 1; i < 16; i++)
        {
            smallest = MathF.Min(smallest, min.GetElement(i));
            largest = MathF.Max(largest, max.GetElement(i));
        }
        var finite = Vector512.EqualsAll(check, check);
        return ScatterOne(z, whole, n, scale, words, bucketOf, ref smallest, ref largest) && finite;
    }

    /// <summary>The same in 256-bit vectors, which .NET splits where a machine has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Scatter256(
        float* z, int n, float scale, ulong* words, ulong* stage, short* bucketOf, out float smallest, out float largest)
    {
        var min = Vector256.Create(float.PositiveInfinity);
        var max = -min;
        var check = Vector256<float>.Zero;
        var vScale = Vector256.Create(scale);
        var half = Vector256.Create(0.5f);
        var whole = n & ~15;
        for (var i = 0; i < whole + 64; i += 16)
        {
            if (i < whole)
            {
                Vector256<float> v0 = Vector256.Load(z + i), v1 = Vector256.Load(z + i + 8);
                min = Vector256.MinNative(min, Vector256.MinNative(v0, v1));
                max = Vector256.MaxNative(max, Vector256.MaxNative(v0, v1));
                Vector256<float> y0 = v0 * vScale, y1 = v1 * vScale;
                Vector256<float> floor0 = Vector256.Floor(y0), floor1 = Vector256.Floor(y1);
                Vector256<float> s0 = y0 - floor0 - half, s1 = y1 - floor1 - half;
                check += s0 + s1;
                Vector256.Narrow(Vector256.ConvertToInt32Native(floor0), Vector256.ConvertToInt32Native(floor1)).Store(bucketOf + i);
                var to = stage + (i & (Stage - 1));
                StoreWords(s0, to);
                StoreWords(s1, to + 8);
            }
            if (i >= 64)
            {
                var from = stage + ((i - 64) & (Stage - 1));
                var b = bucketOf + i - 64;
                for (var k = 0; k < 16; k += 4)
                {
                    words[b[k]] += from[k];
                    words[b[k + 1]] += from[k + 1];
                    words[b[k + 2]] += from[k + 2];
                    words[b[k + 3]] += from[k + 3];
                }
            }
        }
        smallest = min[0];
        largest = max[0];
        for (var i = 1; i < 8; i++)
        {
            smallest = MathF.Min(smallest, min.GetElement(i));
            largest = MathF.Max(largest, max.GetElement(i));
        }
        var finite = Vector256.EqualsAll(check, check);
        return ScatterOne(z, whole, n, scale, words, bucketOf, ref smallest, ref largest) && finite;
    }

    /// <summary>The words of eight tokens, in their order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreWords(Vector256<float> s, ulong* to)
    {
        var first = Vector256.ShiftLeft(Vector256.ConvertToInt32Native(s * Vector256.Create(FirstScale)), 2).AsUInt32();
        var second = (Vector256.ConvertToInt32Native(s * s * Vector256.Create(SecondScale)) + Vector256.Create(1 << 24)).AsUInt32();
        (Vector256.WidenLower(second) | Vector256.ShiftLeft(Vector256.WidenLower(first), 32)).Store(to);
        (Vector256.WidenUpper(second) | Vector256.ShiftLeft(Vector256.WidenUpper(first), 32)).Store(to + 4);
    }

    /// <summary>The same for the tokens that fill no vector.</summary>
    private static bool ScatterOne(
        float* z, int from, int n, float scale, ulong* words, short* bucketOf, ref float smallest, ref float largest)
    {
        for (var i = from; i < n; i++)
        {
            if (!float.IsFinite(z[i])) return false;
            smallest = MathF.Min(smallest, z[i]);
            largest = MathF.Max(largest, z[i]);
            var y = z[i] * scale;
            var floor = MathF.Floor(y);
            if (!(MathF.Abs(floor) < Half)) return false;
            var s = y - floor - 0.5f;
            bucketOf[i] = (short)floor;
            words[bucketOf[i]] += (ulong)((long)(int)(s * FirstScale) << 34) + (1UL << 24) + (ulong)(int)(s * s * SecondScale);
        }
        return true;
    }
}
