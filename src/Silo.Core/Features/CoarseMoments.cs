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
    /// and first two derivatives in z at the centre of each bucket.
    /// </summary>
    public (double Js, double SquaredHellinger) Compare(HistogramRow row, Tempered p, Tempered q)
    {
        var h = row.Histogram.Width * Ratio;
        var lambda = Vector512.Create(q.Lambda);
        var half = Vector512.Create(0.5);
        var one = Vector512<double>.One;
        var smallest = Vector512.Create(1e-300);
        var middle = Vector512.Create((1 + q.Lambda) / 2);
        Vector512<double> step = Vector512.Create(h), halfStep2 = Vector512.Create(h * h / 2);
        Vector512<double> logSumP = Vector512.Create(p.LogSum), logSumQ = Vector512.Create(q.LogSum);
        var ramp = Vector512.Create(0.0, 1, 2, 3, 4, 5, 6, 7) * step;
        Vector512<double> js = default, roots = default;
        for (var c = 0; c < length; c += 8)
        {
            Vector512<double> n = Vector512.Create(count, c), s1 = Vector512.Create(first, c) * step, s2 = Vector512.Create(second, c) * halfStep2;
            if (n == Vector512<double>.Zero) continue;
            // Between the second and the third of four fine buckets.
            var z = Vector512.Create(row.Centre(c * Ratio) + 1.5 * row.Histogram.Width) + ramp;
            Vector512<double> logP = z - logSumP, logQ = z * lambda - logSumQ;
            Vector512<double> pi = DeterministicMath.Exp(logP), qi = DeterministicMath.Exp(logQ);
            var sum = Vector512.MaxNative(pi + qi, smallest);
            var logM = DeterministicMath.LogOfNormal(sum * half);
            Vector512<double> a = logP - logM, b = logQ - logM;
            var lambdaQ = lambda * qi;
            var drift = (pi + lambdaQ) / sum;
            var value = pi * a + qi * b;
            var slope = pi * a + lambdaQ * b;
            var curve = pi * (a + one - drift) + lambdaQ * (lambda * b + lambda - drift);
            js += Vector512.FusedMultiplyAdd(curve, s2, Vector512.FusedMultiplyAdd(slope, s1, value * n));
            var r = Vector512.Sqrt(pi * qi);
            var two = r + r;
            var squares = pi - two + qi;
            var squaresSlope = pi - middle * two + lambdaQ;
            var squaresCurve = pi - middle * middle * two + lambda * lambdaQ;
            roots += Vector512.FusedMultiplyAdd(squaresCurve, s2, Vector512.FusedMultiplyAdd(squaresSlope, s1, squares * n));
        }
        return (Lanes.Sum(js) / 2, Lanes.Sum(roots) / 2);
    }
}
