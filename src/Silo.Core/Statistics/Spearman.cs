using System.Buffers;
using System.Runtime.CompilerServices;

namespace Silo.Core.Statistics;

/// <summary>
/// Spearman's rho: the Pearson correlation of the mid-ranks. Undefined (null) where n &lt; 2, where either side is
/// constant, or where a value is NaN. The sums are exact integers, so perfect agreement gives exactly 1, and
/// negating one side negates the result.
/// </summary>
public static class Spearman
{
    private const int StackLimit = 256;
    // 2^20 items: the largest sum, n³/3 of squares up to n², still fits into 64 bits.
    private const int LongLimit = 1 << 20;

    /// <summary>Rho of two series of equal length, symmetric in them.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double? Rho(ReadOnlySpan<double> x, ReadOnlySpan<double> y) => Correlate(x, y)?.Rho;

    /// <summary>Rho of a measure with a gold, and its value without the measure's ties.</summary>
    /// <param name="measure">n values of the measure.</param>
    /// <param name="gold">n gold values of the same items.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    [SkipLocalsInit]
    public static RankCorrelation? Correlate(ReadOnlySpan<double> measure, ReadOnlySpan<double> gold)
    {
        int n = measure.Length;
        MidRanks.RequireLength(n, gold.Length);
        if (n < 2 || MidRanks.HasNaN(measure) || MidRanks.HasNaN(gold)) return null;
        var rented = n > StackLimit ? ArrayPool<int>.Shared.Rent(2 * n) : null;
        Span<int> ranks = rented ?? stackalloc int[2 * StackLimit];
        MidRanks.Centred(measure, ranks[..n]);
        MidRanks.Centred(gold, ranks.Slice(n, n));
        var result = OfCentred(ranks[..n], ranks.Slice(n, n));
        if (rented is not null) ArrayPool<int>.Shared.Return(rented);
        return result;
    }

    /// <summary>The same from centred mid-ranks (<see cref="MidRanks.Centred"/>), for ranks that are used many times.</summary>
    /// <param name="measure">Centred mid-ranks of the measure.</param>
    /// <param name="gold">Centred mid-ranks of the gold.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static RankCorrelation? OfCentred(ReadOnlySpan<int> measure, ReadOnlySpan<int> gold)
    {
        int n = measure.Length;
        MidRanks.RequireLength(n, gold.Length);
        if (n <= LongLimit)
        {
            long xy = 0, xx = 0, yy = 0;
            for (int i = 0; i < n; i++)
            {
                long a = measure[i], b = gold[i];
                xy += a * b;
                xx += a * a;
                yy += b * b;
            }
            return Ratio(xy, xx, yy, n);
        }
        Int128 wideXy = 0, wideXx = 0, wideYy = 0;
        for (int i = 0; i < n; i++)
        {
            long a = measure[i], b = gold[i];
            wideXy += a * b;
            wideXx += a * a;
            wideYy += b * b;
        }
        return Ratio((double)wideXy, (double)wideXx, (double)wideYy, n);
    }

    private static RankCorrelation? Ratio(double xy, double xx, double yy, double n)
    {
        if (xx == 0 || yy == 0) return null;
        // Without ties the squares of the centred ranks sum to (n³-n)/3; ties take (t³-t)/3 each.
        double untied = n * (n * n - 1) / 3;
        return new(Math.Clamp(xy / Math.Sqrt(xx * yy), -1, 1), Math.Clamp(xy / Math.Sqrt(untied * yy), -1, 1));
    }
}
