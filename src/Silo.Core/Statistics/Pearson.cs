namespace Silo.Core.Statistics;

/// <summary>Pearson's product-moment correlation.</summary>
public static class Pearson
{
    /// <summary>
    /// sum (x - mean x)(y - mean y) / sqrt(sum (x - mean x)² sum (y - mean y)²), in two passes. Undefined (null) where
    /// n &lt; 2, where either side is constant, or where a value is not finite.
    /// </summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double? Correlation(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        MidRanks.RequireLength(x.Length, y.Length);
        // Constancy is decided on the values: a rounded mean would leave specks of variance.
        if (x.Length < 2 || IsConstant(x) || IsConstant(y)) return null;
        double meanX = Mean(x), meanY = Mean(y), xy = 0, xx = 0, yy = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double a = x[i] - meanX, b = y[i] - meanY;
            xy += a * b;
            xx += a * a;
            yy += b * b;
        }
        double r = xy / (Math.Sqrt(xx) * Math.Sqrt(yy));
        return double.IsFinite(r) ? Math.Clamp(r, -1, 1) : null;
    }

    private static bool IsConstant(ReadOnlySpan<double> values) => values.IndexOfAnyExcept(values[0]) < 0;

    private static double Mean(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values) sum += value;
        return sum / values.Length;
    }
}
