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

    private readonly Moments twice = Moments.Allocate(2), fourTimes = Moments.Allocate(4);
    private Moments fine;

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
        fine = new Moments(1, histogram.Count, histogram.First, histogram.Second);
        var length = row.TailBlocks * LogitHistogram.Block;
        Halve(fine, twice, length / 2);
        Halve(twice, fourTimes, length / 4);
    }

    /// <summary>A residual s of the lower of two buckets is (s - 1/2) / 2 of both, one of the upper (s + 1/2) / 2.</summary>
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
        var tail = Math.Max(p.Bound.Tail, q.Bound.Tail);
        return Fits(fourTimes) ? Sum(row, fourTimes, p, q) : Fits(twice) ? Sum(row, twice, p, q) : Fits(fine) ? Sum(row, fine, p, q) : null;

        bool Fits(Moments moments)
        {
            var step = Math.Max(1, q.Lambda) * row.Histogram.Width * moments.Ratio / 2;
            return tail * step * step * step / 24 <= MostError;
        }
    }

    private static (double Js, double SquaredHellinger) Sum(
        HistogramRow row, Moments moments, Tempered p, Tempered q)
    {
        var ratio = moments.Ratio;
        var length = row.TailBlocks * LogitHistogram.Block / ratio;
        double* count = moments.Count.Start, first = moments.First.Start, second = moments.Second.Start;
        var h = row.Histogram.Width * ratio;
        var lambda = Vector512.Create(q.Lambda);
        var half = Vector512.Create(0.5);
        var two = Vector512.Create(2.0);
        var one = Vector512<double>.One;
        var smallest = Vector512.Create(1e-300);
        var middle = Vector512.Create((1 + q.Lambda) / 2);
        Vector512<double> step = Vector512.Create(h), halfStep2 = Vector512.Create(h * h / 2), step2By32 = Vector512.Create(h * h / 32);
        Vector512<double> logSumP = Vector512.Create(p.LogSum), logSumQ = Vector512.Create(q.LogSum);
        var ramp = Vector512.Create(0.0, 1, 2, 3, 4, 5, 6, 7) * step;
        Vector512<double> js = default, roots = default;
        for (var c = 0; c < length; c += 8)
        {
            var n = Vector512.Load(count + c);
            if (n == Vector512<double>.Zero) continue;
            Vector512<double> s1 = Vector512.Load(first + c) * step, s2 = Vector512.Load(second + c) * halfStep2;
            var z = Vector512.Create(row.Centre(c * ratio) + 0.5 * (ratio - 1) * row.Histogram.Width) + ramp;
            Vector512<double> logP = z - logSumP, logQ = z * lambda - logSumQ;
            Vector512<double> pi = DeterministicMath.Exp(logP), qi = DeterministicMath.Exp(logQ);
            var sum = Vector512.MaxNative(pi + qi, smallest);
            var logM = DeterministicMath.LogOfNormal(sum * half);
            Vector512<double> a = logP - logM, b = lambda * (logQ - logM);
            var lambdaQ = lambda * qi;
            var inverse = one / sum;
            var drift = (pi + lambdaQ) * inverse;                                    // (log m)'
            var bend = (pi + lambda * lambdaQ) * inverse - drift * drift;            // (log m)''
            Vector512<double> da = one - drift, db = lambda - drift;
            var value = pi * a + qi * (logQ - logM);
            var slope = pi * a + qi * b;
            var curve = pi * (a + da) + lambdaQ * (b + db);
            var third = pi * (a + two * da - bend) + lambdaQ * (lambda * (b + two * db) - bend);
            js += Vector512.FusedMultiplyAdd(curve, s2, Vector512.FusedMultiplyAdd(slope + third * step2By32, s1, value * n));
            var root = two * Vector512.Sqrt(pi * qi);
            var middleRoot = middle * root;
            var squares = pi - root + qi;
            var squaresSlope = pi - middleRoot + lambdaQ;
            var squaresCurve = pi - middle * middleRoot + lambda * lambdaQ;
            var squaresThird = pi - middle * middle * middleRoot + lambda * lambda * lambdaQ;
            roots += Vector512.FusedMultiplyAdd(squaresCurve, s2,
                Vector512.FusedMultiplyAdd(squaresSlope + squaresThird * step2By32, s1, squares * n));
        }
        return (Lanes.Sum(js) / 2, Lanes.Sum(roots) / 2);
    }
}
