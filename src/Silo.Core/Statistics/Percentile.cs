namespace Silo.Core.Statistics;

/// <summary>Percentiles by linear interpolation between order statistics (Hyndman and Fan 1996, type 7).</summary>
public static class Percentile
{
    /// <summary>
    /// With h = (n-1) * percent / 100: s_floor(h) + (s_(floor(h)+1) - s_floor(h)) * (h - floor(h)).
    /// </summary>
    /// <param name="sorted">At least one value, ascending.</param>
    /// <param name="percent">0..100.</param>
    /// <exception cref="ArgumentException">There is no value, or the percentage is outside its range.</exception>
    public static double OfSorted(ReadOnlySpan<double> sorted, double percent)
    {
        if (sorted.IsEmpty) throw new ArgumentException("a percentile needs a value", nameof(sorted));
        if (!(percent >= 0 && percent <= 100)) throw new ArgumentOutOfRangeException(nameof(percent), percent, "0..100");
        double h = (sorted.Length - 1) * percent / 100;
        int below = Math.Min((int)h, sorted.Length - 1), above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (sorted[above] - sorted[below]) * (h - below);
    }
}
