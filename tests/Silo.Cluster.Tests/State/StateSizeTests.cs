using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Silo.Client;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Contracts.Inference;
using Silo.Cluster.Tests.Faults;
using Silo.Cluster.Tests.Fixtures;
using Silo.Experiments.Measures;
using Silo.Experiments.Spec;

namespace Silo.Cluster.Tests.State;

/// <summary>How many bytes states and messages take: the figures of docs/cluster.md are these bounds.</summary>
public class StateSizeTests
{
    [Fact]
    public async Task States_and_messages_take_no_more_than_the_design_note_says()
    {
        const int Prompts = Limits.PageSize;
        var cancellation = TestContext.Current.CancellationToken;
        var spec = Specs.Small(Prompts, "sizes") with { ReferenceTemperatures = [1.5], MaxTokens = 200, Traces = TraceKeeping.None };
        var ranks = Chaos.Ranks(spec, 1);
        await using var cluster = await TestCluster.StartAsync(new TestWorld { InferenceSilos = 1, ShardGathers = TimeSpan.FromMilliseconds(250) });
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions { Window = Prompts }, null, cancellation);
        await cluster.Client.WatchAsync("e", 0, cancellation).LastAsync(cancellation);
        var unranked = cluster.World.Store.Content.Single(d => d.Key.State == "correlation-shard").Value.Length;
        await cluster.Client.RankAsync("e", ranks, cancellation);

        var golds = (await Recount.SumsAsync(cluster.Orleans, "e", Silo.Experiments.Board.BoardDesign.Of(spec, MeasureCatalog.For(MeasureCatalogOptions.Of(spec)).Measures))).Golds.Count;
        var measures = MeasureCatalog.For(MeasureCatalogOptions.Of(spec)).Measures.Count;
        var sizes = cluster.World.Store.Content.GroupBy(d => d.Key.State).ToDictionary(g => g.Key, g => (Count: g.Count(), Mean: g.Average(d => (double)d.Value.Length), Largest: g.Max(d => d.Value.Length)));
        var texts = (await cluster.Client.TextsAsync("e", "p1", traces: true, cancellation)).Texts;
        var serializer = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();
        var reply = serializer.SerializeToArray(new GenerateReply { Outcome = GenerateOutcome.Done, Texts = texts, Engine = "engine" }).Length;
        var update = serializer.SerializeToArray(new ShardUpdate
        {
            Prompt = "p1",
            From = default,
            To = new Counted(true, 5),
            Texts = [.. texts.Select(t => new ShardText { Item = "t0.3-0", Temperature = 0.3, Measures = t.Measures })],
        }).Length;
        var end = serializer.SerializeToArray(new PromptEnd { Prompt = 7, Kept = 3, Failed = 0, Tokens = 600, Digest = new byte[32], Engine = new string('e', 60) }).Length;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{measures} measures, {golds} golds, {ranks.Count / (double)Prompts:0.0} ranks a prompt; {string.Join(", ", sizes.Select(s => $"{s.Key} {s.Value.Mean:0} (largest {s.Value.Largest})"))}; shard without ranks {unranked}; "
            + $"messages: reply {reply}, shard update {update}, end {end}");

        // Numbers as they are, 8 bytes a measure and 4 a token, and little besides.
        Assert.InRange(sizes["prompt-texts"].Mean, 24.0 * measures, 3 * (8.0 * measures + 14 * 200 + 200));
        Assert.InRange(sizes["prompt"].Largest, 100, 2_500);
        Assert.InRange(sizes["prompt-page"].Largest, 1, 60 * Prompts);
        Assert.InRange(sizes["prompt-page-ends"].Largest, 32 * Prompts, 45 * Prompts + 200);
        Assert.InRange(sizes["experiment"].Largest, 1, 3_000);
        Assert.InRange(unranked, 1, 24 * Prompts + 300);
        Assert.InRange(sizes["correlation-shard"].Largest, 1, 24 * Prompts + 60_000 * golds);
        Assert.InRange(reply, 1, 3 * (9 * measures + 14 * 200 + 300));
        Assert.InRange(update, 1, 3 * (9 * measures + 100) + 100);
        Assert.InRange(end, 1, 200);
    }
}
