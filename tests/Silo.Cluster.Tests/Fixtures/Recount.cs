using Silo.Client;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Grains.Campaigns;
using Silo.Experiments.Board;
using Silo.Experiments.Ranking;
using Silo.Experiments.Spec;
using Silo.Local.Boards;

namespace Silo.Cluster.Tests.Fixtures;

/// <summary>Checks a campaign's running sums against a board that is filled anew with what the prompts hold.</summary>
internal static class Recount
{
    public static async Task AssertBoardAsync(IClusterClient cluster, string experiment, ExperimentSpec spec)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var client = new SiloClient(cluster);
        var filled = RunBoard.Create(spec, spec.ReferenceTemperatures);
        var plan = new Silo.Experiments.Plan.ExperimentPlan(spec);
        for (var prompt = 0; prompt < spec.Prompts.Count; prompt++)
        {
            var id = spec.Prompts[prompt].Id;
            var texts = await client.TextsAsync(experiment, id, traces: false, cancellation);
            if (texts.Texts.Count > 0)
                filled.Board.SetTexts(id, [.. texts.Texts.Select(t => BoardText.Of(plan.Key(prompt, t.Row).Item, plan.Key(prompt, t.Row).Temperature, t.Measures, filled.Catalog))]);
            foreach (var rank in await client.RanksAsync(experiment, id, cancellation)) filled.Board.Apply(RankBook.ToEvent(id, rank));
        }

        var sums = await SumsAsync(cluster, experiment, filled.Board.Design);
        var expected = filled.Board.Sums;
        Assert.Equal((expected.Prompts, expected.Texts), (sums.Prompts, sums.Texts));
        Assert.Equal(expected.Golds.Keys.Where(g => !g.StartsWith("rater:", StringComparison.Ordinal)), sums.Golds.Keys);
        foreach (var (gold, found) in sums.Golds) Assert.True(expected.Golds[gold].SameAs(found), $"the sums of gold {gold} differ from their recomputation");
    }

    /// <summary>The sums of all shards together.</summary>
    public static async Task<BoardSums> SumsAsync(IClusterClient cluster, string experiment, BoardDesign design)
    {
        var sums = new BoardSums(design);
        var shards = (await cluster.GetGrain<Silo.Cluster.Contracts.Campaigns.IExperimentGrain>(experiment).Context())!.Shards;
        for (var shard = 0; shard < shards; shard++)
            sums.Merge(BoardSums.Unpack(design, await cluster.GetGrain<ICorrelationShardGrain>(Keys.Part(experiment, shard)).Sums()));
        return sums;
    }

    /// <summary>Asserts that the ranks that stand are those of all events together, whatever came of each sending; one rater's may be there or not.</summary>
    public static async Task AssertRanksAsync(SiloClient client, string experiment, ExperimentSpec spec, IReadOnlyCollection<RankEvent> sent, string? except = null)
    {
        foreach (var prompt in spec.Prompts)
        {
            var expected = new PromptRanks();
            foreach (var rank in sent.Where(r => r.Prompt == prompt.Id)) expected.Apply(rank);
            var found = new PromptRanks();
            var events = await client.RanksAsync(experiment, prompt.Id, TestContext.Current.CancellationToken);
            foreach (var rank in events.Where(r => r.Rater != except)) Assert.True(found.Apply(RankBook.ToEvent(prompt.Id, rank)), $"{prompt.Id}: {rank} is kept and changes nothing");
            var items = new Silo.Experiments.Plan.ExperimentPlan(spec with { Prompts = [prompt] }).Keys().Select(k => k.Item).ToArray();
            Assert.Equal(expected.Rows(items).Select(Shown), found.Rows(items).Select(Shown));
            Assert.Equal(expected.Count, found.Count);
        }
    }

    private static string Shown(RaterRow row) => $"{row.Panel}/{row.Rater}: {string.Join(' ', row.Ranks)}";
}
