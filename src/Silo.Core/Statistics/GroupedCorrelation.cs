using Silo.Core.Numerics;

namespace Silo.Core.Statistics;

/// <summary>
/// How a measure goes along with a gold over items grouped by prompt, in each of the ways to pool. Undefined values are
/// null; prompts without a defined rho are counted, not dropped. No sign is turned.
/// </summary>
/// <param name="PerPromptRho">Spearman's rho within each prompt.</param>
/// <param name="WithinPromptMeanRho">Mean of the defined ones.</param>
/// <param name="WithinPromptMeanRhoUntied">Mean of the same without the measure's ties, see <see cref="RankCorrelation"/>.</param>
/// <param name="WithinPromptMeanTauB">Mean of Kendall's tau-b within the prompts.</param>
/// <param name="Defined">Number of prompts with a rho.</param>
/// <param name="Undefined">Number of prompts without: one item, or either side constant.</param>
/// <param name="PooledRho">Spearman over all items of the measure with the within-prompt mid-ranks of gold.</param>
/// <param name="PooledRhoGoldNotReranked">Pearson of the measure's global mid-ranks with the within-prompt mid-ranks of gold as they are.</param>
/// <param name="PooledWithinRankRho">Pearson over all items of the within-prompt mid-ranks of both.</param>
public sealed record GroupedCorrelation(
    IReadOnlyList<double?> PerPromptRho,
    double? WithinPromptMeanRho,
    double? WithinPromptMeanRhoUntied,
    double? WithinPromptMeanTauB,
    int Defined,
    int Undefined,
    double? PooledRho,
    double? PooledRhoGoldNotReranked,
    double? PooledWithinRankRho)
{
    /// <summary>All of them for one measure and one gold.</summary>
    /// <param name="measure">The measure of every item, prompt after prompt.</param>
    /// <param name="gold">The gold of the same items.</param>
    /// <param name="offsets">Where each prompt begins, and at last the number of items: prompts + 1 ascending numbers from 0.</param>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    public static GroupedCorrelation Compute(ReadOnlySpan<double> measure, ReadOnlySpan<double> gold, ReadOnlySpan<int> offsets)
    {
        int items = measure.Length, prompts = offsets.Length - 1;
        MidRanks.RequireLength(items, gold.Length);
        if (prompts < 0 || offsets[0] != 0 || offsets[^1] != items)
            throw new ArgumentException("offsets begin with 0 and end with the number of items", nameof(offsets));

        var perPrompt = new double?[prompts];
        ExactSum rho = default, untied = default, tau = default;
        var measureRanks = new double[items];
        var goldRanks = new double[items];
        for (int p = 0; p < prompts; p++)
        {
            var range = offsets[p]..offsets[p + 1];
            if (Spearman.Correlate(measure[range], gold[range]) is { } defined)
            {
                perPrompt[p] = defined.Rho;
                rho = rho.Add(defined.Rho);
                untied = untied.Add(defined.RhoUntied);
            }
            if (Kendall.TauB(measure[range], gold[range]) is { } tauB) tau = tau.Add(tauB);
            MidRanks.Compute(measure[range], measureRanks.AsSpan(range));
            MidRanks.Compute(gold[range], goldRanks.AsSpan(range));
        }
        var globalRanks = new double[items];
        MidRanks.Compute(measure, globalRanks);
        return new GroupedCorrelation(
            perPrompt, rho.Mean, untied.Mean, tau.Mean, (int)rho.Count, prompts - (int)rho.Count,
            PooledRho: Spearman.Rho(measure, goldRanks),
            PooledRhoGoldNotReranked: Pearson.Correlation(globalRanks, goldRanks),
            PooledWithinRankRho: Pearson.Correlation(measureRanks, goldRanks));
    }
}
