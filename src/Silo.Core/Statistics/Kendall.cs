using System.Buffers;

namespace Silo.Core.Statistics;

/// <summary>Kendall's tau-b (Kendall 1945, "The treatment of ties in ranking problems", Biometrika 33).</summary>
public static class Kendall
{
    // Below this, counting pairs is faster than sorting.
    private const int PairwiseLimit = 64;

    /// <summary>
    /// tau-b = (C - D) / sqrt((N - Tx)(N - Ty)); N = n(n-1)/2 pairs, C concordant, D discordant, Tx and Ty tied in x
    /// and in y. Undefined (null) where n &lt; 2, where either side is constant, or where a value is NaN. O(n log n) for
    /// long series (Knight 1966, "A computer method for calculating Kendall's tau with ungrouped data", JASA 61).
    /// </summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double? TauB(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        MidRanks.RequireLength(x.Length, y.Length);
        if (x.Length < 2 || MidRanks.HasNaN(x) || MidRanks.HasNaN(y)) return null;
        var (balance, untiedX, untiedY) = x.Length <= PairwiseLimit ? CountPairs(x, y) : CountSorted(x, y);
        if (untiedX == 0 || untiedY == 0) return null;
        return Math.Clamp(balance / Math.Sqrt((double)untiedX * untiedY), -1, 1);
    }

    private static (long Balance, long UntiedX, long UntiedY) CountPairs(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        long balance = 0, untiedX = 0, untiedY = 0;
        for (int i = 1; i < x.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                int signX = (x[i] > x[j] ? 1 : 0) - (x[i] < x[j] ? 1 : 0);
                int signY = (y[i] > y[j] ? 1 : 0) - (y[i] < y[j] ? 1 : 0);
                balance += signX * signY;
                untiedX += signX * signX;
                untiedY += signY * signY;
            }
        }
        return (balance, untiedX, untiedY);
    }

    private static (long Balance, long UntiedX, long UntiedY) CountSorted(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        int n = x.Length;
        var ints = ArrayPool<int>.Shared.Rent(2 * n);
        var keys = ArrayPool<long>.Shared.Rent(n);
        Span<int> ranksX = ints.AsSpan(0, n), ranksY = ints.AsSpan(n, n);
        MidRanks.Centred(x, ranksX);
        MidRanks.Centred(y, ranksY);
        // One key sorts by x, then by y; both are shifted to be positive.
        for (int i = 0; i < n; i++) keys[i] = ((long)(ranksX[i] + n) << 32) | (uint)(ranksY[i] + n);
        var sorted = keys.AsSpan(0, n);
        sorted.Sort();
        long pairs = (long)n * (n - 1) / 2, tiedX = 0, tiedBoth = 0, runX = 0, runBoth = 0;
        for (int i = 1; i < n; i++)
        {
            runX = sorted[i] >> 32 == sorted[i - 1] >> 32 ? runX + 1 : 0;
            runBoth = sorted[i] == sorted[i - 1] ? runBoth + 1 : 0;
            tiedX += runX;
            tiedBoth += runBoth;
        }
        for (int i = 0; i < n; i++) ranksX[i] = (int)(sorted[i] & 0xFFFFFFFF);
        // Within equal x the order is by y, so every inversion of y is a discordant pair.
        long discordant = SortCountingInversions(ranksX, ranksY);
        long tiedY = 0, runY = 0;
        for (int i = 1; i < n; i++)
        {
            runY = ranksX[i] == ranksX[i - 1] ? runY + 1 : 0;
            tiedY += runY;
        }
        ArrayPool<int>.Shared.Return(ints);
        ArrayPool<long>.Shared.Return(keys);
        return (pairs - tiedX - tiedY + tiedBoth - 2 * discordant, pairs - tiedX, pairs - tiedY);
    }

    private static long SortCountingInversions(Span<int> values, Span<int> scratch)
    {
        if (values.Length < 2) return 0;
        int half = values.Length / 2;
        long inversions = SortCountingInversions(values[..half], scratch[..half])
            + SortCountingInversions(values[half..], scratch[half..]);
        values.CopyTo(scratch);
        for (int k = 0, left = 0, right = half; k < values.Length; k++)
        {
            if (right == values.Length || (left < half && scratch[left] <= scratch[right]))
            {
                values[k] = scratch[left++];
            }
            else
            {
                inversions += half - left;
                values[k] = scratch[right++];
            }
        }
        return inversions;
    }
}
