using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Silo.Core.Numerics;

namespace Silo.Core.Features;

/// <summary>
/// The tail of a row in buckets twice and four times as wide, for the two sums that are smooth but costly: Jensen-Shannon
/// and Hellinger.
/// </summary>
internal sealed unsafe class CoarseMoments
{
    private const double MostError = 5e-7;

    private readonly Moments _twice = Moments.Allocate(2), _fourTimes = Moments.Allocate(4);
    private readonly AlignedBuffer<double> _massP = new(LogitHistogram.MaxBuckets), _massQ = new(LogitHistogram.MaxBuckets);
    private Moments _fine;

    /// <summary>Count, sum of s and sum of s² of buckets some times as wide as the histogram's.</summary>
    private readonly record struct Moments(int Ratio, AlignedBuffer<double> Count, AlignedBuffer<double> First, AlignedBuffer<double> Second)
    {
        public static Moments Allocate(int ratio) => new(
            ratio, new(LogitHistogram.MaxBuckets / ratio), new(LogitHistogram.MaxBuckets / ratio), new(LogitHistogram.MaxBuckets / ratio));
    }

    /// <summary>Takes the moments together.</summary>
    public void Fill(HistogramRow row)
    {
        var histogram = row.Histogram;
        _fine = new Moments(1, histogram.Count, histogram.First, histogram.Second);
        var length = row.TailBlocks * LogitHistogram.Block;
        Halve(_fine, _twice, length / 2);
        Halve(_twice, _fourTimes, length / 4);
    }

    /// <summary>A residual s of the lower of two buckets is (s - 1/2) / 2 of both, one of the upper (s + 1/2) / 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Halve(Moments from, Moments to, int length)
    {
        double* n = from.Count.Start, s1 = from.First.Start, s2 = from.Second.Start;
        for (var c = 0; c < length; c += 8)
        {
            var (n0, n1) = Pairs(n + 2 * c);
            var (first0, first1) = Pairs(s1 + 2 * c);
            var (second0, second1) = Pairs(s2 + 2 * c);
            var half = Vector512.Create(0.5);
            var count = n0 + n1;
            count.Store(to.Count.Start + c);
            ((first0 + first1 + (n1 - n0) * half) * half).Store(to.First.Start + c);
            ((second0 + second1 + (first1 - first0) + count * Vector512.Create(0.25)) * Vector512.Create(0.25)).Store(to.Second.Start + c);
        }
    }

    /// <summary>Sixteen numbers as those of even and those of odd places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<double> Even, Vector512<double> Odd) Pairs(double* from)
    {
        if (Avx512F.IsSupported)
        {
            var (low, high) = (Vector512.Load(from), Vector512.Load(from + 8));
            return (Avx512F.PermuteVar8x64x2(low, Vector512.Create(0L, 2, 4, 6, 8, 10, 12, 14), high),
                Avx512F.PermuteVar8x64x2(low, Vector512.Create(1L, 3, 5, 7, 9, 11, 13, 15), high));
        }
        return (Vector512.Create(from[0], from[2], from[4], from[6], from[8], from[10], from[12], from[14]),
            Vector512.Create(from[1], from[3], from[5], from[7], from[9], from[11], from[13], from[15]));
    }

    /// <summary>
    /// The tail's part of JS = sum (p log p + q log q) / 2 - m log m and of H² = sum (sqrt p - sqrt q)² / 2, from their value
    /// and first derivatives in z at the centre of each bucket; s³ is taken as 3/16 s, its Chebyshev fit on [-1/2, 1/2],
    /// off by at most 1/32. Null where that would show: then the temperature is too low for these buckets.
    /// </summary>
    public (double Js, double SquaredHellinger)? Compare(HistogramRow row, Tempered p, Tempered q)
    {
        return Fits(_fourTimes) ? Sum(row, _fourTimes, p, q) : Fits(_twice) ? Sum(row, _twice, p, q) : Fits(_fine) ? Sum(row, _fine, p, q) : null;

        // The third derivative is of the order of p + lambda³ q.
        bool Fits(Moments moments)
        {
            var half = row.Histogram.Width * moments.Ratio / 2;
            return half * half * half / 24 * (p.Bound.Tail + q.Lambda * q.Lambda * q.Lambda * q.Bound.Tail) <= MostError;
        }
    }

    // Three loops instead of one: where vectors are narrow, each must stay small enough to be compiled without calls.
    private (double Js, double SquaredHellinger) Sum(HistogramRow row, Moments moments, Tempered p, Tempered q)
    {
        Exponentiate(row, moments, 1, p.LogSum, _massP);
        Exponentiate(row, moments, q.Lambda, q.LogSum, _massQ);
        return (JensenShannon(row, moments, p, q), SquaredHellinger(row, moments, q.Lambda));
    }

    private static int Length(HistogramRow row, Moments moments) => row.TailBlocks * LogitHistogram.Block / moments.Ratio;

    /// <summary>z - max at the centres of eight buckets from c on, of width h; origin is the first of all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Centres(double origin, double h, int c) => Vector512.FusedMultiplyAdd(
        Vector512.Create(0.0, 1, 2, 3, 4, 5, 6, 7) + Vector512.Create((double)c), Vector512.Create(h), Vector512.Create(origin));

    private static double Origin(HistogramRow row, Moments moments) =>
        row.Centre(0) + 0.5 * (moments.Ratio - 1) * row.Histogram.Width;

    /// <summary>The probability of a token at each centre.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Exponentiate(HistogramRow row, Moments moments, double lambda, double logSum, AlignedBuffer<double> mass)
    {
        var length = Length(row, moments);
        double origin = Origin(row, moments), h = row.Histogram.Width * moments.Ratio;
        for (var c = 0; c < length; c += 8)
            DeterministicMath.Exp(Centres(origin, h, c) * Vector512.Create(lambda) - Vector512.Create(logSum)).Store(mass.Start + c);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private double JensenShannon(HistogramRow row, Moments moments, Tempered p, Tempered q)
    {
        var length = Length(row, moments);
        double* count = moments.Count.Start, first = moments.First.Start, second = moments.Second.Start;
        double origin = Origin(row, moments), h = row.Histogram.Width * moments.Ratio;
        var lambda = Vector512.Create(q.Lambda);
        var two = Vector512.Create(2.0);
        var smallest = Vector512.Create(1e-300);
        Vector512<double> logSumP = Vector512.Create(p.LogSum), logSumQ = Vector512.Create(q.LogSum);
        var js = Vector512<double>.Zero;
        for (var c = 0; c < length; c += 8)
        {
            var n = Vector512.Load(count + c);
            if (n == Vector512<double>.Zero) continue;
            var z = Centres(origin, h, c);
            Vector512<double> pi = Vector512.Load(_massP.Start + c), qi = Vector512.Load(_massQ.Start + c);
            var sum = Vector512.MaxNative(pi + qi, smallest);
            var logM = DeterministicMath.LogOfNormal(sum * Vector512.Create(0.5));
            var a = z - logSumP - logM;
            var b = z * lambda - logSumQ - logM;
            var value = pi * a + qi * b;
            b *= lambda;
            var lambdaQ = lambda * qi;
            var inverse = Vector512<double>.One / sum;
            var drift = (pi + lambdaQ) * inverse;                         // (log m)'
            var bend = (pi + lambda * lambdaQ) * inverse - drift * drift; // (log m)''
            var da = Vector512<double>.One - drift;
            var db = lambda - drift;
            var slope = pi * a + qi * b;
            var curve = pi * (a + da) + lambdaQ * (b + db);
            var third = pi * (a + two * da - bend) + lambdaQ * (lambda * (b + two * db) - bend);
            var s1 = (slope + third * Vector512.Create(h * h / 32)) * Vector512.Load(first + c);
            var s2 = curve * Vector512.Load(second + c);
            js += value * n + s1 * Vector512.Create(h) + s2 * Vector512.Create(h * h / 2);
        }
        return Lanes.Sum(js) / 2;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private double SquaredHellinger(HistogramRow row, Moments moments, double lambda)
    {
        var length = Length(row, moments);
        double* count = moments.Count.Start, first = moments.First.Start, second = moments.Second.Start;
        double h = row.Histogram.Width * moments.Ratio, middle = (1 + lambda) / 2;
        var roots = Vector512<double>.Zero;
        for (var c = 0; c < length; c += 8)
        {
            Vector512<double> pi = Vector512.Load(_massP.Start + c), qi = Vector512.Load(_massQ.Start + c);
            var root = Vector512.Create(2.0) * Vector512.Sqrt(pi * qi);
            var value = pi - root + qi;
            root *= Vector512.Create(middle);
            qi *= Vector512.Create(lambda);
            var slope = pi - root + qi;
            root *= Vector512.Create(middle);
            qi *= Vector512.Create(lambda);
            var curve = pi - root + qi;
            root *= Vector512.Create(middle);
            qi *= Vector512.Create(lambda);
            var third = pi - root + qi;
            var s1 = (slope + third * Vector512.Create(h * h / 32)) * Vector512.Load(first + c);
            var s2 = curve * Vector512.Load(second + c);
            roots += value * Vector512.Load(count + c) + s1 * Vector512.Create(h) + s2 * Vector512.Create(h * h / 2);
        }
        return Lanes.Sum(roots) / 2;
    }
}
