using Silo.Core.Numerics;

namespace Silo.Core.Statistics;

/// <summary>Spearman's rho of rater against rater, averaged in three ways; null where nothing is defined.</summary>
/// <param name="Mean">Mean over all defined (prompt, pair of raters) values.</param>
/// <param name="Defined">Number of those.</param>
/// <param name="Undefined">Number of the others: fewer than two common items, or either side constant on them.</param>
/// <param name="Absent">Of the undefined, those where one of the two rated nothing of the prompt.</param>
/// <param name="ByPromptFirst">Mean over prompts of the mean over pairs.</param>
/// <param name="ByPairFirst">Mean over pairs of the mean over prompts.</param>
/// <param name="Pairs">Number of pairs of raters with a value.</param>
public readonly record struct PairwiseRho(
    double? Mean, int Defined, int Undefined, int Absent, double? ByPromptFirst, double? ByPairFirst, int Pairs);

/// <summary>Spearman's rho of each rater with the mean rank of the others.</summary>
/// <param name="PerRater">Mean over the prompts for each rater, null where undefined.</param>
/// <param name="Mean">Mean over all defined (prompt, rater) values.</param>
/// <param name="Defined">Number of those.</param>
/// <param name="Undefined">Number of (prompt, rater) pairs without, absent raters not counted.</param>
public sealed record RaterAgainstRest(IReadOnlyList<double?> PerRater, double? Mean, int Defined, int Undefined);

/// <summary>The ceiling: how well people predict people.</summary>
public static class RaterCorrelation
{
    /// <summary>Each rater against each other, over the items both rated.</summary>
    /// <param name="prompts">Rows are the same raters in every prompt.</param>
    /// <exception cref="ArgumentException">The number of raters differs between prompts.</exception>
    public static PairwiseRho Pairwise(IReadOnlyList<RatingMatrix> prompts)
    {
        int raters = CommonRaters(prompts), undefined = 0, absent = 0;
        var byPair = new ExactSum[raters * raters];
        ExactSum all = default, byPrompt = default;
        foreach (var ratings in prompts)
        {
            ExactSum prompt = default;
            for (int a = 0; a < raters; a++)
            {
                for (int b = a + 1; b < raters; b++)
                {
                    if (OverCommonItems(ratings[a], ratings[b]) is { } rho)
                    {
                        prompt = prompt.Add(rho);
                        byPair[a * raters + b] = byPair[a * raters + b].Add(rho);
                    }
                    else
                    {
                        undefined++;
                        if (ratings.IsAbsent(a) || ratings.IsAbsent(b)) absent++;
                    }
                }
            }
            all = all.Merge(prompt);
            if (prompt.Mean is { } mean) byPrompt = byPrompt.Add(mean);
        }
        var pairMeans = MeanOf(byPair);
        return new(all.Mean, (int)all.Count, undefined, absent, byPrompt.Mean, pairMeans.Mean, (int)pairMeans.Count);
    }

    /// <summary>
    /// Each rater against the mean rank of the other complete raters, over the items both have. An absent rater is not
    /// counted.
    /// </summary>
    /// <param name="prompts">Rows are the same raters in every prompt.</param>
    /// <exception cref="ArgumentException">The number of raters differs between prompts.</exception>
    public static RaterAgainstRest AgainstRest(IReadOnlyList<RatingMatrix> prompts)
    {
        int raters = CommonRaters(prompts), undefined = 0;
        var perRater = new ExactSum[raters];
        var others = new int[raters];
        ExactSum all = default;
        foreach (var ratings in prompts)
        {
            var rest = new double[ratings.Items];
            for (int rater = 0; rater < raters; rater++)
            {
                if (ratings.IsAbsent(rater)) continue;
                Array.Fill(others, 1);
                others[rater] = 0;
                if (GoldRanking.MeanRank(ratings, rest, multiplicity: others) && OverCommonItems(ratings[rater], rest) is { } rho)
                {
                    perRater[rater] = perRater[rater].Add(rho);
                    all = all.Add(rho);
                }
                else
                {
                    undefined++;
                }
            }
        }
        return new([.. perRater.Select(sum => sum.Mean)], all.Mean, (int)all.Count, undefined);
    }

    private static int CommonRaters(IReadOnlyList<RatingMatrix> prompts)
    {
        int raters = prompts.Count == 0 ? 0 : prompts[0].Raters;
        foreach (var ratings in prompts) MidRanks.RequireLength(raters, ratings.Raters);
        return raters;
    }

    private static ExactSum MeanOf(ReadOnlySpan<ExactSum> sums)
    {
        ExactSum means = default;
        foreach (var sum in sums)
            if (sum.Mean is { } mean) means = means.Add(mean);
        return means;
    }

    private static double? OverCommonItems(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        Span<double> x = a.Length <= 128 ? stackalloc double[a.Length] : new double[a.Length];
        Span<double> y = a.Length <= 128 ? stackalloc double[a.Length] : new double[a.Length];
        int common = 0;
        for (int i = 0; i < a.Length; i++)
        {
            if (double.IsNaN(a[i]) || double.IsNaN(b[i])) continue;
            (x[common], y[common]) = (a[i], b[i]);
            common++;
        }
        return Spearman.Rho(x[..common], y[..common]);
    }
}
