using Silo.Client;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Tests.Fixtures;
using Silo.Experiments.Generation;

namespace Silo.Cluster.Tests.Faults;

/// <summary>
/// Silos die and come, writes fail before and after they are done, are late and come twice, grains vanish, reminders
/// repeat, clients get lost, ranks come at any time: the end is that of an undisturbed run.
/// </summary>
public class FaultTests
{
    private const int ClustersAtOnce = 4;

    private static int Seeds => Environment.GetEnvironmentVariable("SILO_LONG") == "1" ? 200 : 10;

    // Clusters wait most of the time: several at once take hardly longer than one.
    [Fact]
    public Task Whatever_goes_wrong_the_end_is_the_same() => Parallel.ForEachAsync(
        Enumerable.Range(0, Seeds), new ParallelOptions { MaxDegreeOfParallelism = ClustersAtOnce, CancellationToken = TestContext.Current.CancellationToken },
        async (seed, cancellation) => await RunAsync(seed, cancellation));

    private static async Task RunAsync(int seed, CancellationToken cancellation)
    {
        var spec = Specs.Small(12);
        var random = new Random(seed);
        var world = new TestWorld
        {
            Store = new TestStore(new StoreFaults(seed)),
            Engine = () => new TestEngine { Before = (_, _, cancelled) => MoodAsync(random, cancelled) },
            RemindEvery = TimeSpan.FromMilliseconds(500),
        };
        await using var cluster = await TestCluster.StartAsync(world);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        over.CancelAfter(TimeSpan.FromMinutes(3));
        var chaos = new Chaos(cluster, "e", spec, seed);
        var ranks = Chaos.Ranks(spec, seed);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
        enough.CancelAfter(TimeSpan.FromSeconds(4));
        try
        {
            await Chaos.InsistAsync(() => cluster.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 3 }, null, over.Token), over.Token);
            var raging = chaos.RageAsync(enough.Token);
            foreach (var half in ranks.Chunk(ranks.Count / 2 + 1))
                await Chaos.InsistAsync(() => cluster.Client.RankAsync("e", half, over.Token), over.Token);
            await raging;
            var end = await Chaos.InsistAsync(() => EndAsync(cluster, over.Token), over.Token);
            world.Store.Faults.Share = 0;

            Assert.Equal(await Specs.LocalDigestAsync(spec, new TestEngine()), end.Digest);
            Assert.Equal((12, 36, 0), (end.Ended, end.Kept, end.Failed));
            await Recount.AssertRanksAsync(cluster.Client, "e", spec, ranks);
            await Recount.AssertBoardAsync(cluster.Orleans, "e", spec);
            // That a finished campaign is open no more may have failed, too; its reminder says it again.
            while ((await cluster.Client.OpenExperimentsAsync(over.Token)).Count > 0) await Task.Delay(100, over.Token);
            TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}: {world.Store.Faults.Injected} faults of the store in {world.Store.Writes} writes; {string.Join("; ", chaos.Log)}");
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            throw new InvalidOperationException($"seed {seed}, {world.Store.Faults.Injected} faults of the store; {string.Join("\n", chaos.Log)}", e);
        }
    }

    private static async Task<CampaignStatusReply> EndAsync(TestCluster cluster, CancellationToken cancellation)
    {
        while (true)
        {
            var status = await cluster.Client.StatusAsync("e", cancellation);
            if (status.Digest is not null) return status;
            await Task.Delay(100, cancellation);
        }
    }

    private static Task MoodAsync(Random random, CancellationToken cancelled)
    {
        int draw;
        lock (random) draw = random.Next(10);
        return draw switch
        {
            0 => throw new EngineBusyException(),
            _ => Task.Delay(draw * 60, cancelled),
        };
    }
}
