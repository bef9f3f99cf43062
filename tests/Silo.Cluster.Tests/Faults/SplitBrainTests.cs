using Silo.Client;
using Silo.Cluster.Tests.Fixtures;

namespace Silo.Cluster.Tests.Faults;

public class SplitBrainTests
{
    /// <summary>The worst case of duplicate activations: each grain is active twice, all the time, on one store.</summary>
    [Fact]
    public async Task Two_clusters_on_one_store_make_each_text_once_and_count_each_rank_once()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var spec = Specs.Small(10);
        var world = new TestWorld
        {
            InferenceSilos = 1,
            Engine = () => new ToyEngine { Before = (call, _, cancelled) => Task.Delay(call % 3 * 80, cancelled) },
            RemindEvery = TimeSpan.FromMilliseconds(300),
        };
        await using var one = await TestCluster.StartAsync(world);
        await using var two = await TestCluster.StartAsync(world);
        await one.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 3 }, null, cancellation);
        await two.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 3 }, null, cancellation);
        var ranks = Chaos.Ranks(spec, 11);
        await Task.WhenAll(new[] { one, two }.Select((cluster, i) => Chaos.InsistAsync(
            () => cluster.Client.RankAsync("e", i == 0 ? ranks : ranks.Reverse(), cancellation), cancellation)));
        var ends = await Task.WhenAll(new[] { one, two }.Select(cluster => Chaos.InsistAsync(async () =>
        {
            var status = await cluster.Client.StatusAsync("e", cancellation);
            if (status.Digest is not null) return status;
            // The other one's writes are seen after the next conflict, or the next look.
            await cluster.DeactivateAsync(cluster.Orleans.GetGrain<Silo.Cluster.Contracts.Campaigns.IExperimentGrain>("e"));
            throw new TimeoutException();
        }, cancellation)));

        var digest = await Specs.LocalDigestAsync(spec, new ToyEngine());
        Assert.All(ends, end => Assert.Equal((digest, 30), (end.Digest, end.Kept)));
        await using var after = await TestCluster.StartAsync(world);
        // What the one could not tell its shard, because the other had, nobody sends again.
        while (world.Reminders.Count > 0) await Task.Delay(100, cancellation);
        await Recount.AssertRanksAsync(after.Client, "e", spec, ranks);
        await Recount.AssertBoardAsync(after.Orleans, "e", spec);
    }
}
