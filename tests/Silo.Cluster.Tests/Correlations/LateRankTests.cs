using Silo.Client;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Tests.Faults;
using Silo.Cluster.Tests.Fixtures;

namespace Silo.Cluster.Tests.Correlations;

public class LateRankTests
{
    private const string Prompt = "e/p2";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The silo dies between the store and the count, and nobody sends the rank again, or any other.</summary>
    [Fact]
    public async Task A_rank_that_was_stored_is_counted_though_its_silo_died_first()
    {
        var spec = Specs.Small(3);
        await using var cluster = await TestCluster.StartAsync(new TestWorld { InferenceSilos = 1 });
        await StoreUncountedAsync(cluster, spec);
        Assert.Equal(1, cluster.World.Reminders.Count);
        await cluster.KillAsync(cluster.Silos.Single(s => s.Role == SiloRole.Orchestrator).Silo);
        cluster.World.Store.Faults.Refused = null;
        await cluster.AddAsync(SiloRole.Orchestrator);

        while (await Chaos.InsistAsync(() => cluster.Client.BoardAsync("e", Cancellation), Cancellation) is var board && board.Lines.All(l => l.Gold != "mean_rank")) await Task.Delay(50, Cancellation);
        Assert.Equal(3, (await cluster.Client.RanksAsync("e", "p2", Cancellation)).Count);
        await Recount.AssertBoardAsync(cluster.Orleans, "e", spec);
        while (cluster.World.Reminders.Count > 0) await Task.Delay(50, Cancellation);
    }

    [Fact]
    public async Task What_its_shard_could_not_count_is_counted_once_it_can()
    {
        var spec = Specs.Small(3);
        await using var cluster = await TestCluster.StartAsync(new TestWorld { InferenceSilos = 1 });
        await StoreUncountedAsync(cluster, spec);
        // The reminder comes and goes as long as it is of no use.
        await Task.Delay(1500, Cancellation);
        Assert.Equal(1, cluster.World.Reminders.Count);
        cluster.World.Store.Faults.Refused = null;
        while (cluster.World.Reminders.Count > 0) await Task.Delay(50, Cancellation);
        Assert.Contains((await cluster.Client.BoardAsync("e", Cancellation)).Lines, l => l.Gold == "mean_rank");
        await Recount.AssertBoardAsync(cluster.Orleans, "e", spec);
    }

    [Fact]
    public async Task Of_ranks_that_are_counted_no_reminder_is_left_and_of_early_ones_none_is_made()
    {
        var spec = Specs.Small(3);
        using var gate = new SemaphoreSlim(0);
        await using var cluster = await TestCluster.StartAsync(new TestWorld { InferenceSilos = 1, Engine = () => new ToyEngine { Before = (_, _, cancelled) => gate.WaitAsync(cancelled) } });
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions(), null, Cancellation);
        await RankAsync(cluster, spec, "ann");
        // The campaign's own.
        Assert.Equal(1, cluster.World.Reminders.Made);
        gate.Release(100);
        await cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => RankAsync(cluster, spec, $"judge{i}")));
        var made = cluster.World.Reminders.Made;
        Assert.InRange(made, 2, 21);
        // Nor of those that are known.
        Assert.Equal(3, (await RankAsync(cluster, spec, "judge3")).Repeated);
        Assert.Equal(made, cluster.World.Reminders.Made);
        while (cluster.World.Reminders.Count > 0) await Task.Delay(20, Cancellation);
        await Recount.AssertBoardAsync(cluster.Orleans, "e", spec);
    }

    /// <summary>A campaign that has ended, and a rank after it that is stored and whose shard cannot count it.</summary>
    private static async Task StoreUncountedAsync(TestCluster cluster, Silo.Experiments.Spec.ExperimentSpec spec)
    {
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions(), null, Cancellation);
        await cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation);
        while (cluster.World.Reminders.Count > 0) await Task.Delay(20, Cancellation);
        cluster.World.Store.Faults.Refused = "correlation-shard";
        await Assert.ThrowsAnyAsync<Exception>(() => RankAsync(cluster, spec, "ann"));
    }

    private static Task<RankReply> RankAsync(TestCluster cluster, Silo.Experiments.Spec.ExperimentSpec spec, string rater) => cluster.Orleans.GetGrain<IPromptGrain>(Prompt)
        .Rank([.. spec.Temperatures.Select((t, i) => new RankMessage { Item = $"t{t}-0", Rater = rater, Rank = i + 1 })]);
}
