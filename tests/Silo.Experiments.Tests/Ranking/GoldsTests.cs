using Silo.Experiments.Ranking;

namespace Silo.Experiments.Tests.Ranking;

public class GoldsTests
{
    private static double[] RanksOf(PromptGold gold) => [.. gold.Merit.Select(m => (gold.Merit.Length + 1 - m) / 2.0)];

    private static PromptGold? Find(IReadOnlyList<PromptGold> golds, string name) => golds.SingleOrDefault(g => g.Name.ToString() == name);

    private static IReadOnlyList<PromptGold> Of(params RankEvent[] events)
    {
        var ranks = new PromptRanks();
        foreach (var rank in events) ranks.Apply(rank);
        return Golds.Of(ranks.Rows(["a", "b", "c"]));
    }

    private static RankEvent[] By(string rater, string? panel, params double[] ranks) =>
        [.. ranks.Select((r, i) => new RankEvent("p", ((char)('a' + i)).ToString(), rater, panel, r)).Where(e => !double.IsNaN(e.Rank!.Value))];

    [Fact]
    public void Mean_rank_and_pairwise_majority_are_the_golden_ones()
    {
        foreach (var set in Golden.Load("statistics.json").Items("raters"))
        {
            foreach (var ((matrix, mean), (majority, cycle)) in set.Items("prompts").Zip(set.Items("majority_per_prompt"))
                .Zip(set.Items("pairwise_majority_per_prompt").Zip(set.Items("pairwise_majority_cycle"))))
            {
                RaterRow[] rows = [.. matrix.EnumerateArray().Select((row, r) => new RaterRow(null, $"r{r}", row.Numbers()))];
                var golds = Golds.Of([.. rows.Where(r => !Array.TrueForAll(r.Ranks, double.IsNaN))]);
                // The golden mean rank asks for three complete raters; the board's gold takes any number.
                if (rows.Count(r => r.IsComplete) >= 3)
                    Golden.Close(mean.Numbers(), RanksOf(Find(golds, "mean_rank")!), set.Text("name"));
                if (Find(golds, "pairwise_majority") is { } gold)
                {
                    Golden.Close(majority.Numbers(), RanksOf(gold), set.Text("name"));
                    Assert.Equal(cycle.GetBoolean(), gold.Cycle);
                }
                else
                {
                    Assert.True(rows.Count(r => r.Ranks.Count(v => !double.IsNaN(v)) >= 2) < 3);
                }
            }
        }
    }

    [Fact]
    public void Panels_are_never_averaged_together()
    {
        var golds = Of([.. By("ann", "humans", 1, 2, 3), .. By("bob", "humans", 1, 3, 2), .. By("gpt", "judges", 3, 2, 1), .. By("zoe", null, 2, 1, 3)]);
        Assert.Equal(["mean_rank", "humans/mean_rank", "judges/mean_rank", "rater:ann", "rater:bob", "rater:gpt", "rater:zoe"], golds.Select(g => g.Name.ToString()));
        Assert.Equal([1, 2.5, 2.5], RanksOf(Find(golds, "humans/mean_rank")!));
        Assert.Equal([3, 2, 1.0], RanksOf(Find(golds, "judges/mean_rank")!));
        Assert.Equal([2, 1, 3.0], RanksOf(Find(golds, "mean_rank")!));
    }

    [Fact]
    public void An_incomplete_rater_has_a_gold_of_his_own_on_what_he_ranked()
    {
        var golds = Of([.. By("ann", null, 2, double.NaN, 1), .. By("bob", null, 1, 2, 3)]);
        var own = Find(golds, "rater:ann")!;
        Assert.Equal([0, 2], own.Items);
        Assert.Equal([2, 1.0], RanksOf(own));
        Assert.Equal(1, Find(golds, "mean_rank")!.Raters);
    }

    [Fact]
    public void A_withdrawn_rank_makes_its_rater_incomplete()
    {
        var events = By("ann", null, 1, 2, 3);
        Assert.Null(Find(Of([.. events, events[1] with { Rank = null, Revision = 1 }]), "mean_rank"));
    }

    [Fact]
    public void The_heuristic_judge_has_one_gold()
    {
        var golds = Of(By(HeuristicJudge.Name, HeuristicJudge.Name, 1, 2, 3));
        Assert.Equal("heuristic/mean_rank", Assert.Single(golds).Name.ToString());
    }
}
