namespace Silo.Core.Statistics;

/// <summary>Two items of one prompt, seen by a measure and by a gold.</summary>
/// <param name="Measure">The measure of the first less that of the second; finite.</param>
/// <param name="Gold">Positive if gold has the first before the second, negative if after, 0 if tied: its magnitude does not count.</param>
public readonly record struct ItemPair(double Measure, double Gold);

/// <summary>How often measure and gold say the same of a pair: which is better, or that both are equal.</summary>
/// <param name="Pairs">Number of pairs.</param>
/// <param name="GoldTies">Number tied in gold.</param>
/// <param name="MeasureTies">Number tied in the measure under the threshold used.</param>
/// <param name="Correct">Number where both say the same.</param>
/// <param name="Epsilon">The threshold: differences up to it count as equal.</param>
public readonly record struct PairwiseAgreement(int Pairs, int GoldTies, int MeasureTies, int Correct, double Epsilon)
{
    /// <summary>Share of correct pairs; null without pairs.</summary>
    public double? Accuracy => Pairs == 0 ? null : (double)Correct / Pairs;
}

/// <summary>
/// Pairwise accuracy with tie calibration (Deutsch, Foster and Freitag 2023, "Ties matter: meta-evaluating modern metrics
/// with pairwise accuracy and tie calibration"). Learn the threshold on one part of the prompts and apply it to another: on
/// the same data it is optimistic.
/// </summary>
public static class PairwiseAccuracy
{
    /// <summary>The accuracy when differences up to the threshold count as equal.</summary>
    /// <param name="pairs">Pairs of items.</param>
    /// <param name="epsilon">At least 0; 0 takes equality exactly.</param>
    public static PairwiseAgreement At(ReadOnlySpan<ItemPair> pairs, double epsilon = 0)
    {
        int goldTies = 0, measureTies = 0, correct = 0;
        foreach (var (measure, gold) in pairs)
        {
            int said = Math.Abs(measure) <= epsilon ? 0 : Math.Sign(measure);
            if (gold == 0) goldTies++;
            if (said == 0) measureTies++;
            if (said == Math.Sign(gold)) correct++;
        }
        return new(pairs.Length, goldTies, measureTies, correct, epsilon);
    }

    /// <summary>The best accuracy over all thresholds, with the smallest threshold that reaches it.</summary>
    /// <param name="pairs">The pairs to learn from.</param>
    public static PairwiseAgreement Calibrate(ReadOnlySpan<ItemPair> pairs)
    {
        var sizes = new double[pairs.Length];
        var gains = new int[pairs.Length];
        for (int i = 0; i < pairs.Length; i++)
        {
            var (measure, gold) = pairs[i];
            sizes[i] = Math.Abs(measure);
            // What counting this pair as equal does to the number of correct ones.
            gains[i] = gold == 0 ? 1 : Math.Sign(measure) == Math.Sign(gold) ? -1 : 0;
        }
        Array.Sort(sizes, gains);
        double best = 0;
        int gain = 0, bestGain = 0;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] == 0) continue; // equal under every threshold
            gain += gains[i];
            bool lastOfItsSize = i + 1 == sizes.Length || sizes[i + 1] > sizes[i];
            if (lastOfItsSize && gain > bestGain) (best, bestGain) = (sizes[i], gain);
        }
        return At(pairs, best);
    }
}
