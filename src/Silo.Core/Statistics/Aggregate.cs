namespace Silo.Core.Statistics;

/// <summary>A series of numbers in seven, each in the unit of the series.</summary>
/// <param name="Mean">Arithmetic mean.</param>
/// <param name="Median">Middle value, or the mean of the two middle values.</param>
/// <param name="P10">10th percentile, see <see cref="Percentile"/>.</param>
/// <param name="P90">90th percentile.</param>
/// <param name="Min">Smallest value.</param>
/// <param name="Max">Largest value.</param>
/// <param name="Std">Population standard deviation (divided by n).</param>
public readonly record struct Aggregate(double Mean, double Median, double P10, double P90, double Min, double Max, double Std)
{
    /// <summary>The aggregate of a series, or null for an empty one. The same bits on every platform.</summary>
    /// <param name="values">n numbers.</param>
    /// <param name="scratch">Room for n numbers; its contents are lost.</param>
    /// <exception cref="ArgumentException">A value is NaN, or the scratch is too small.</exception>
    public static Aggregate? Compute(ReadOnlySpan<double> values, Span<double> scratch)
    {
        if (values.IsEmpty) return null;
        if (MidRanks.HasNaN(values)) throw new ArgumentException("NaN has no place in an aggregate", nameof(values));
        var sorted = scratch[..values.Length];
        values.CopyTo(sorted);
        sorted.Sort();

        double sum = 0;
        foreach (double value in values) sum += value;
        double mean = sum / values.Length;
        // Second pass about the mean; the sum of deviations corrects the mean's own rounding (Chan, Golub and LeVeque 1983).
        double squares = 0, deviations = 0;
        foreach (double value in values)
        {
            squares += (value - mean) * (value - mean);
            deviations += value - mean;
        }
        double variance = (squares - deviations * deviations / values.Length) / values.Length;
        bool constant = sorted[0] == sorted[^1];
        return new Aggregate(
            constant ? sorted[0] : mean,
            Percentile.OfSorted(sorted, 50), Percentile.OfSorted(sorted, 10), Percentile.OfSorted(sorted, 90),
            sorted[0], sorted[^1],
            constant ? 0 : Math.Sqrt(Math.Max(0, variance)));
    }
}
