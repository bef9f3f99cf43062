using System.Runtime.Intrinsics;
using Silo.Core.Numerics;

namespace Silo.Core.Features;

/// <summary>
/// The tail of a row in buckets four times as wide, for the two sums that are smooth but costly: Jensen-Shannon and
/// Hellinger.
/// </summary>
internal sealed class CoarseMoments
{
    private const int Ratio = 4;
    private const double MostError = 5e-7;

    private readonly double[] count = new double[LogitHistogram.MaxBuckets / Ratio];
    private readonly double[] first = new double[LogitHistogram.MaxBuckets / Ratio];
    private readonly double[] second = new double[LogitHistogram.MaxBuckets / Ratio];
    private int length;

    /// <summary>Takes the moments together.</summary>
    public void Fill(HistogramRow row)
    {
        var fine = row.Histogram;
        length = row.TailBlocks * LogitHistogram.Block / Ratio;
        double[] n = fine.Count, s1 = fine.First, s2 = fine.Second;
        for (var c = 0; c < length; c++)
        {
            // A residual s of fine bucket k is (s + k - 3/2) / 4 of the coarse one.
            var j = c * Ratio;
            double n0 = n[j], n1 = n[j + 1], n2 = n[j + 2], n3 = n[j + 3];
            count[c] = n0 + n1 + (n2 + n3);
            first[c] = (s1[j] + s1[j + 1] + (s1[j + 2] + s1[j + 3]) + (1.5 * (n3 - n0) + 0.5 * (n2 - n1))) * 0.25;
            second[c] = (s2[j] + s2[j + 1] + (s2[j + 2] + s2[j + 3])
                + (3 * (s1[j + 3] - s1[j]) + (s1[j + 2] - s1[j + 1]))
                + (2.25 * (n0 + n3) + 0.25 * (n1 + n2))) * 0.0625;
        }
    }

    /// <summary>
    /// The tail's part of JS = sum (p log p + q log q) / 2 - m log m and of H² = sum (sqrt p - sqrt q)² / 2, from their value
    /// and first derivatives in z at the centre of each bucket; s³ is taken as 3/16 s, its Chebyshev fit on [-1/2, 1/2],
    /// off by at most 1/32. Null where that would show: then the temperature is too low for these buckets.
    /// </summary>
    public (double Js, double SquaredHellinger)? Compare(HistogramRow row, Tempered p, Tempered q)
    {
        var tail = Math.Max(p.Bound.Tail, q.Bound.Tail);
        var fine = row.Histogram;
        if (Error(fine.Width * Ratio) <= MostError) return Sum(row, Ratio, count, first, second, length, p, q);
        if (Error(fine.Width) <= MostError)
            return Sum(row, 1, fine.Count, fine.First, fine.Second, row.TailBlocks * LogitHistogram.Block, p, q);
        return null;

        double Error(double h)
        {
            var step = Math.Max(1, q.Lambda) * h / 2;
            return tail * step * step * step / 24;
        }
    }

    private static (double Js, double SquaredHellinger) Sum(
        HistogramRow row, int ratio, double[] count, double[] first, double[] second, int length, Tempered p, Tempered q)
    {
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
            var n = Vector512.Create(count, c);
            if (n == Vector512<double>.Zero) continue;
            Vector512<double> s1 = Vector512.Create(first, c) * step, s2 = Vector512.Create(second, c) * halfStep2;
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
