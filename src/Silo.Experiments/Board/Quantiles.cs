using Silo.Core.Statistics;

namespace Silo.Experiments.Board;

/// <summary>
/// The two percentiles of a central interval without sorting everything: thousands of intervals are read at once.
/// Same values as <see cref="Percentile.OfSorted"/>.
/// </summary>
internal static class Quantiles
{
    /// <summary>The central interval of the values at a level, or null where there are none. Reorders the values.</summary>
    public static Interval? Central(Span<double> values, double level)
    {
        if (values.IsEmpty) return null;
        var tail = (1 - level) / 2;
        return new(At(values, tail), At(values, 1 - tail));
    }

    private static double At(Span<double> values, double share)
    {
        var h = (values.Length - 1) * share;
        var below = Math.Min((int)h, values.Length - 1);
        Select(values, below);
        if (below == values.Length - 1) return values[below];
        var next = double.PositiveInfinity;
        foreach (var value in values[(below + 1)..]) next = Math.Min(next, value);
        return values[below] + (next - values[below]) * (h - below);
    }

    // Hoare's selection: afterwards values[k] is the k-th smallest, smaller ones stand before it, larger ones after.
    private static void Select(Span<double> values, int k)
    {
        int low = 0, high = values.Length - 1;
        while (low < high)
        {
            var pivot = MedianOfThree(values[low], values[(low + high) >> 1], values[high]);
            int i = low, j = high;
            while (i <= j)
            {
                while (values[i] < pivot) i++;
                while (values[j] > pivot) j--;
                if (i > j) break;
                (values[i], values[j]) = (values[j], values[i]);
                i++;
                j--;
            }
            if (k <= j) high = j;
            else if (k >= i) low = i;
            else return;
        }
    }

    private static double MedianOfThree(double a, double b, double c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
}
