namespace Silo.Core.Statistics;

/// <summary>Holm's step-down adjustment of a family of p-values (Holm 1979), which bounds the chance of any false rejection.</summary>
public static class Holm
{
    /// <summary>adjusted_(i) = max_{j&lt;=i} min(1, (m-j+1) p_(j)) over ascending p, in the order given.</summary>
    /// <param name="pValues">m values in [0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside [0, 1] or NaN.</exception>
    public static double[] Adjust(ReadOnlySpan<double> pValues)
    {
        var sorted = pValues.ToArray();
        foreach (double p in sorted)
            if (!(p >= 0 && p <= 1)) throw new ArgumentOutOfRangeException(nameof(pValues), p, "a p-value is in [0, 1]");
        var order = new int[sorted.Length];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(sorted, order);
        var adjusted = new double[sorted.Length];
        double largest = 0;
        for (int i = 0; i < sorted.Length; i++)
        {
            largest = Math.Max(largest, Math.Min(1, (sorted.Length - i) * sorted[i]));
            adjusted[order[i]] = largest;
        }
        return adjusted;
    }
}
