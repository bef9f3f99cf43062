using Silo.Client;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Tests.Fixtures;
using Silo.Experiments.Ranking;

namespace Silo.Cluster.Tests.Correlations;

public class ShardTests
{
    [Fact]
    public async Task An_activation_that_is_over_takes_nothing_away_that_it_does_not_know()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var spec = Specs.Small(2);
        await using var cluster = await TestCluster.StartAsync(new TestWorld { InferenceSilos = 1 });
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions(), null, cancellation);
        await cluster.Client.WatchAsync("e", 0, cancellation).LastAsync(cancellation);
        await cluster.Client.RankAsync("e", spec.Temperatures.Select((t, i) => new RankEvent("p1", $"t{t}-0", "ann", null, i + 1)), cancellation);
        var shard = cluster.Orleans.GetGrain<ICorrelationShardGrain>(Keys.Part("e", 0));
        var sums = await shard.Sums();
        var texts = (await cluster.Client.TextsAsync("e", "p1", false, cancellation)).Texts
            .Select(t => new ShardText { Item = $"t{spec.Temperatures[t.Row]}-0", Temperature = spec.Temperatures[t.Row], Measures = t.Measures }).ToArray();
        var ranks = await cluster.Client.RanksAsync("e", "p1", cancellation);
        Assert.Equal(3, ranks.Count);

        var late = await shard.Update(new ShardUpdate { Prompt = "p1", From = new Counted(true, 3), To = new Counted(true, 2), Texts = texts, Ranks = [.. ranks.Take(2)] });
        Assert.Equal(new Counted(true, 3), late.Counted);
        Assert.Equal(sums, await shard.Sums());
        // Who has them all may take one away, and put it back.
        Assert.Equal(new Counted(true, 2), (await shard.Update(new ShardUpdate { Prompt = "p1", From = new Counted(true, 3), To = new Counted(true, 2), Texts = texts, Ranks = ranks })).Counted);
        Assert.NotEqual(sums, await shard.Sums());
        await shard.Update(new ShardUpdate { Prompt = "p1", From = new Counted(true, 2), To = new Counted(true, 3), Texts = texts, Ranks = ranks });
        Assert.Equal(sums, await shard.Sums());
        await Recount.AssertBoardAsync(cluster.Orleans, "e", spec);
    }
}
