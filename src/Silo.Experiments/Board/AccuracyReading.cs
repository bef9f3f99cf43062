using MathNet.Numerics.Distributions;
using Silo.Core.Statistics;

namespace Silo.Experiments.Board;

/// <summary>From sums and values to pairwise accuracies.</summary>
internal static class AccuracyReading
{
    /// <summary>The accuracy of one column on one kind of pairs, with equality exact.</summary>
    public static PairAccuracy Exact(BoardDesign design, GoldSums.PairSums sums, int kind, int prompts)
    {
        var pair = PairKind.Temperatures(design.Temperatures, kind);
        return new PairAccuracy
        {
            Low = pair?.Low,
            High = pair?.High,
            NPairs = (int)sums.Pairs,
            GoldTies = (int)sums.GoldTies,
            FeatureTies = (int)sums.FeatureTies,
            Accuracy = sums.Pairs == 0 ? null : (double)sums.Agree / sums.Pairs,
            Ci = Wilson(sums, prompts, design.Level),
        };
    }

    /// <summary>The same with ties calibrated: each half judged by the threshold learned on the other.</summary>
    /// <param name="exact">The accuracy without calibration.</param>
    /// <param name="first">Pairs of the first half of the prompts, the measure in its declared direction.</param>
    /// <param name="second">Pairs of the second half.</param>
    public static PairAccuracy Calibrated(PairAccuracy exact, ReadOnlySpan<ItemPair> first, ReadOnlySpan<ItemPair> second)
    {
        if (first.IsEmpty || second.IsEmpty) return exact;
        double[] epsilon = [PairwiseAccuracy.Calibrate(first).Epsilon, PairwiseAccuracy.Calibrate(second).Epsilon];
        var correct = PairwiseAccuracy.At(first, epsilon[1]).Correct + PairwiseAccuracy.At(second, epsilon[0]).Correct;
        return exact with { AccuracyTieCalibrated = (double)correct / (first.Length + second.Length), Epsilon = epsilon };
    }

    // Wilson (1927), with as many independent pairs as would give the variance between prompts (ratio estimator).
    private static Interval? Wilson(GoldSums.PairSums sums, int prompts, double level)
    {
        if (sums.Pairs == 0) return null;
        double n = sums.Pairs, p = sums.Agree / n;
        var variance = (sums.AgreeSquared - 2 * p * sums.AgreePairs + p * p * sums.PairsSquared) / (n * n);
        var effective = sums.Agree == 0 || sums.Agree == sums.Pairs ? Math.Min(prompts, n) : Math.Min(n, p * (1 - p) / Math.Max(variance, 1e-300));
        var z = Normal.InvCDF(0, 1, (1 + level) / 2);
        var centre = (p + z * z / (2 * effective)) / (1 + z * z / effective);
        var half = z / (1 + z * z / effective) * Math.Sqrt(p * (1 - p) / effective + z * z / (4 * effective * effective));
        // At the ends the bound is the end itself, whatever rounding says.
        return new(sums.Agree == 0 ? 0 : Math.Max(0, centre - half), sums.Agree == sums.Pairs ? 1 : Math.Min(1, centre + half));
    }
}
