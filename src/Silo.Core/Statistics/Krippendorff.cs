namespace Silo.Core.Statistics;

/// <summary>What the differences of rated values mean.</summary>
public enum MeasurementLevel
{
    /// <summary>Only the order counts.</summary>
    Ordinal,
    /// <summary>Differences count.</summary>
    Interval,
}

/// <summary>Krippendorff's alpha.</summary>
/// <param name="Alpha">1 perfect agreement, 0 chance; null where no unit has two values or all values are equal.</param>
/// <param name="Units">Number of units with at least two values.</param>
public readonly record struct KrippendorffAlpha(double? Alpha, int Units);

/// <summary>Krippendorff's alpha (Krippendorff 2011, "Computing Krippendorff's alpha-reliability").</summary>
public static class Krippendorff
{
    /// <summary>
    /// alpha = 1 - (n-1) sum_{c&lt;k} o_ck d²(c,k) / sum_{c&lt;k} n_c n_k d²(c,k), the units being all (prompt, item)
    /// pairs with at least two values.
    /// </summary>
    /// <remarks>
    /// For both levels d²(c,k) is a squared difference, of the values or of their mid-ranks among all values (the ordinal
    /// (sum_{g=c..k} n_g - (n_c+n_k)/2)² is just that). So the observed sum is that of m/(m-1) times the squares about
    /// the unit's mean, the expected sum n times the squares about the mean of all: linear in the number of values.
    /// </remarks>
    public static KrippendorffAlpha Alpha(IReadOnlyList<RatingMatrix> prompts, MeasurementLevel level)
    {
        var (values, sizes) = PairableUnits(prompts);
        if (values.Length == 0 || values.AsSpan().IndexOfAnyExcept(values[0]) < 0) return new(null, sizes.Count);
        if (level == MeasurementLevel.Ordinal) MidRanks.Compute((double[])values.Clone(), values);

        double observed = 0;
        int start = 0;
        foreach (int size in sizes)
        {
            observed += SquaresAboutMean(values.AsSpan(start, size)) * size / (size - 1);
            start += size;
        }
        double n = values.Length, expected = n * SquaresAboutMean(values);
        return new(1 - (n - 1) * observed / expected, sizes.Count);
    }

    private static (double[] Values, List<int> Sizes) PairableUnits(IReadOnlyList<RatingMatrix> prompts)
    {
        var values = new List<double>();
        var sizes = new List<int>();
        foreach (var prompt in prompts)
        {
            for (int item = 0; item < prompt.Items; item++)
            {
                int start = values.Count;
                for (int rater = 0; rater < prompt.Raters; rater++)
                    if (!double.IsNaN(prompt[rater][item])) values.Add(prompt[rater][item]);
                int size = values.Count - start;
                if (size >= 2) sizes.Add(size);
                else values.RemoveRange(start, size);
            }
        }
        return ([.. values], sizes);
    }

    private static double SquaresAboutMean(ReadOnlySpan<double> values)
    {
        double sum = 0, squares = 0;
        foreach (double value in values) sum += value;
        double mean = sum / values.Length;
        foreach (double value in values) squares += (value - mean) * (value - mean);
        return squares;
    }
}
