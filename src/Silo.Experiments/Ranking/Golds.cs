using Silo.Core.Statistics;

namespace Silo.Experiments.Ranking;

/// <summary>Makes the golds of one prompt from its raters' ranks.</summary>
public static class Golds
{
    private const int MajorityRaters = 3;

    /// <summary>
    /// All golds of a prompt, in a fixed order: for each panel mean rank and pairwise majority, then each rater. A
    /// panel of one rater who bears its name (the heuristic judge) has one gold, its mean rank.
    /// </summary>
    /// <param name="rows">The ranks, see <see cref="PromptRanks.Rows"/>.</param>
    public static IReadOnlyList<PromptGold> Of(IReadOnlyList<RaterRow> rows)
    {
        var golds = new List<PromptGold>();
        foreach (var panel in rows.GroupBy(r => r.Panel))
        {
            if (MeanRank(panel.Key, [.. panel]) is { } mean) golds.Add(mean);
            if (PairwiseMajority(panel.Key, [.. panel]) is { } majority) golds.Add(majority);
        }
        foreach (var rater in rows.Where(r => r.Rater != r.Panel).GroupBy(r => r.Rater, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
            if (OfRater(rater.Key, [.. rater]) is { } own) golds.Add(own);
        return golds;
    }

    private static PromptGold? MeanRank(string? panel, RaterRow[] rows)
    {
        var ranks = new double[rows[0].Ranks.Length];
        return GoldRanking.MeanRank(Matrix(rows), ranks)
            ? Of(new(GoldKind.MeanRank, panel), All(ranks.Length), ranks, rows.Count(r => r.IsComplete), cycle: false) : null;
    }

    private static PromptGold? PairwiseMajority(string? panel, RaterRow[] rows)
    {
        // A rater of one text says nothing of any pair.
        var voters = rows.Where(r => r.Ranks.Count(v => !double.IsNaN(v)) >= 2).ToArray();
        if (voters.Length < MajorityRaters) return null;
        var ranks = new double[voters[0].Ranks.Length];
        var cycle = GoldRanking.PairwiseMajority(Matrix(voters), ranks);
        return Of(new(GoldKind.PairwiseMajority, panel), All(ranks.Length), ranks, voters.Length, cycle);
    }

    private static PromptGold? OfRater(string rater, RaterRow[] rows)
    {
        // Ranks that one rater gave in two panels are his all the same.
        var ranks = rows.Length == 1 ? rows[0].Ranks
            : [.. Enumerable.Range(0, rows[0].Ranks.Length).Select(i => rows.Select(r => r.Ranks[i]).FirstOrDefault(v => !double.IsNaN(v), double.NaN))];
        var items = All(ranks.Length).Where(i => !double.IsNaN(ranks[i])).ToArray();
        return items.Length < 2 ? null
            : Of(new(GoldKind.Rater, rows[0].Panel, rater), items, [.. items.Select(i => ranks[i])], 1, cycle: false);
    }

    // The one place where the sign is turned: rank 1, a small number, is the highest merit.
    private static PromptGold Of(GoldName name, int[] items, double[] ranks, int raters, bool cycle)
    {
        var merit = new int[ranks.Length];
        MidRanks.Centred(ranks, merit);
        for (var i = 0; i < merit.Length; i++) merit[i] = -merit[i];
        return new(name, items, merit, raters, cycle);
    }

    private static RatingMatrix Matrix(RaterRow[] rows) => new(rows.Length, rows[0].Ranks.Length, [.. rows.SelectMany(r => r.Ranks)]);

    private static int[] All(int count) => [.. Enumerable.Range(0, count)];
}
