using System.Buffers;
using Silo.Core.Statistics;

namespace Silo.Experiments.Board;

/// <summary>
/// The two percentiles of a central interval without sorting everything: tens of thousands of intervals are read at
/// once. Same values as <see cref="Percentile.OfSorted"/> gives.
/// </summary>
internal static class Quantiles
{
    // Every 16th value tells where the tails about begin; the share taken is wider than the tail by what a sample errs.
    private const int Step = 16, Slack = 3;

    /// <summary>The central interval of the values, or null where there are none. Reorders the values.</summary>
    /// <param name="values">Finite values.</param>
    /// <param name="level">Its coverage, in (0, 1).</param>
    public static Interval? Central(Span<double> values, double level)
    {
        if (values.IsEmpty) return null;
        var tail = (1 - level) / 2;
        var need = (int)((values.Length - 1) * tail) + 2;
        var sample = (values.Length + Step - 1) / Step;
        // In the sample, about need / Step values belong to a tail, give or take its square root.
        var rank = (int)(need / (double)Step + Slack * Math.Sqrt(need / (double)Step)) + 1;
        if (2 * rank < sample)
        {
            double[] low = ArrayPool<double>.Shared.Rent(values.Length + 1), high = ArrayPool<double>.Shared.Rent(values.Length + 1);
            var interval = Tails(values, sample, rank, need, tail, low, high);
            ArrayPool<double>.Shared.Return(low);
            ArrayPool<double>.Shared.Return(high);
            if (interval is not null) return interval;
        }
        values.Sort();
        return new(Percentile.OfSorted(values, 100 * tail), Percentile.OfSorted(values, 100 - 100 * tail));
    }

    private static Interval? Tails(ReadOnlySpan<double> values, int sample, int rank, int need, double tail, double[] low, double[] high)
    {
        for (var i = 0; i < sample; i++) low[i] = values[i * Step];
        Array.Sort(low, 0, sample);
        double below = low[rank], above = low[sample - 1 - rank];
        int lows = 0, highs = 0;
        foreach (var value in values)
        {
            // Without a branch: each is written and kept only if it belongs there.
            low[lows] = value;
            lows += value <= below ? 1 : 0;
            high[highs] = value;
            highs += value >= above ? 1 : 0;
        }
        if (lows < need || highs < need) return null;
        Array.Sort(low, 0, lows);
        Array.Sort(high, 0, highs);
        var h = (values.Length - 1) * tail;
        var at = (int)h;
        var mirrored = (values.Length - 1) - h;
        // Places of the upper percentile, counted in the upper tail.
        var first = highs - values.Length + (int)mirrored;
        return new(low[at] + (low[at + 1] - low[at]) * (h - at),
            high[first] + (high[Math.Min(first + 1, highs - 1)] - high[first]) * (mirrored - (int)mirrored));
    }
}
