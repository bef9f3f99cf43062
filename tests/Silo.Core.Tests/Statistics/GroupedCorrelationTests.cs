using Silo.Core.Statistics;

namespace Silo.Core.Tests.Statistics;

public class GroupedCorrelationTests
{
    [Fact]
    public void Golden_groups()
    {
        foreach (var group in GoldenStatistics.Section("grouped"))
        {
            string name = group.Text("name");
            var prompts = group.Items("prompts").ToList();
            double[] measure = [.. prompts.SelectMany(p => p.Numbers("feature"))];
            double[] gold = [.. prompts.SelectMany(p => p.Numbers("gold"))];
            var offsets = new int[prompts.Count + 1];
            for (int p = 0; p < prompts.Count; p++) offsets[p + 1] = offsets[p] + prompts[p].Numbers("gold").Length;

            var actual = GroupedCorrelation.Compute(measure, gold, offsets);
            Golden.Close(group.Numbers("per_prompt_rho"), [.. actual.PerPromptRho.Select(r => r ?? double.NaN)], name + " per prompt");
            Golden.Close(group.Number("within_prompt_mean_rho"), actual.WithinPromptMeanRho, name + " mean rho");
            Golden.Close(group.Number("within_prompt_mean_tau_b"), actual.WithinPromptMeanTauB, name + " mean tau-b");
            Assert.Equal(group.Whole("n_defined"), actual.Defined);
            Assert.Equal(group.Whole("n_undefined"), actual.Undefined);
            Golden.Close(group.Number("pooled_rho"), actual.PooledRho, name + " pooled_rho");
            Golden.Close(group.Number("pooled_rho_gold_not_reranked"), actual.PooledRhoGoldNotReranked, name + " gold not reranked");
            Golden.Close(group.Number("pooled_within_rank_rho"), actual.PooledWithinRankRho, name + " within rank");
        }
    }

    [Fact]
    public void Offsets_must_cover_the_items() =>
        Assert.Throws<ArgumentException>(() => GroupedCorrelation.Compute([1, 2], [1, 2], [0, 1]));
}
