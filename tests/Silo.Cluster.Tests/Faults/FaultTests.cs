using System.Globalization;
using Silo.Client;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Tests.Fixtures;
using Silo.Experiments.Generation;
using Silo.Experiments.Spec;

namespace Silo.Cluster.Tests.Faults;

/// <summary>
/// Silos die and come, writes fail before and after they are done, are late and come twice, calls and answers get lost,
/// calls come twice, grains vanish, reminders repeat, fail to come and are forgotten, clients get lost, the window changes, the
/// campaign is paused, ranks come at any time, and some of them once only: the end is that of an undisturbed run.
/// </summary>
public class FaultTests
{
    private const int ClustersAtOnce = 4;
    private const string Once = "once";

    /// <summary>SILO_SEEDS=93-200 asks for others.</summary>
    private static IEnumerable<int> Seeds
    {
        get
        {
            if (Environment.GetEnvironmentVariable("SILO_SEEDS") is not { Length: > 0 } asked)
                return Enumerable.Range(0, Environment.GetEnvironmentVariable("SILO_LONG") == "1" ? 200 : 10);
            var ends = asked.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture)).ToArray();
            return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
        }
    }

    // Clusters wait most of the time: several at once take hardly longer than one.
    [Fact]
    public Task Whatever_goes_wrong_the_end_is_the_same() => Parallel.ForEachAsync(
        Seeds, new ParallelOptions { MaxDegreeOfParallelism = ClustersAtOnce, CancellationToken = TestContext.Current.CancellationToken },
        async (seed, cancellation) => await RunAsync(seed, cancellation));

    private static async Task RunAsync(int seed, CancellationToken cancellation)
    {
        var spec = Specs.Small(12);
        var random = new Random(seed);
        var world = new TestWorld
        {
            Store = new TestStore(new StoreFaults(seed)),
            Wire = new WireFaults(seed),
            Engine = () => new ToyEngine { Before = (_, _, cancelled) => MoodAsync(random, cancelled) },
            RemindEvery = TimeSpan.FromMilliseconds(500),
        };
        await using var cluster = await TestCluster.StartAsync(world);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        over.CancelAfter(TimeSpan.FromMinutes(3));
        var chaos = new Chaos(cluster, "e", spec, seed, over.Token);
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
            await RankOnceAsync(cluster, spec, over.Token);
            (world.Store.Faults.Share, world.Wire.Share) = (0, 0);
            // Those of a campaign that is over, and of prompts that were ranked late and have not been counted.
            while (world.Reminders.Count > 0) await Task.Delay(100, over.Token);

            Assert.Equal(await Specs.LocalDigestAsync(spec, new ToyEngine()), end.Digest);
            Assert.Equal((12, 36, 0), (end.Ended, end.Kept, end.Failed));
            await Recount.AssertRanksAsync(cluster.Client, "e", spec, ranks, Once);
            await Recount.AssertBoardAsync(cluster.Orleans, "e", spec);
            // That a finished campaign is open no more may have failed, too; its reminder says it again.
            while ((await cluster.Client.OpenExperimentsAsync(over.Token)).Count > 0) await Task.Delay(100, over.Token);
            TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}: {world.Store.Faults.Injected} faults of the store in {world.Store.Writes} writes, {world.Wire.Injected} of the wire; {string.Join("; ", chaos.Log)}");
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            throw new InvalidOperationException($"seed {seed}, {world.Store.Faults.Injected} faults of the store, {world.Wire.Injected} of the wire; {string.Join("\n", chaos.Log)}", e);
        }
    }

    // When all is over, somebody ranks who does not ask again whatever comes of it, while the orchestrator dies: what is stored of it counts.
    private static async Task RankOnceAsync(TestCluster cluster, ExperimentSpec spec, CancellationToken cancellation)
    {
        var calls = spec.Prompts.Select(async prompt =>
        {
            try
            {
                await cluster.Orleans.GetGrain<IPromptGrain>(Keys.Prompt("e", prompt.Id)).Rank([.. spec.Temperatures.Select((t, i) => new RankMessage { Item = $"t{t}-0", Rater = Once, Rank = i + 1 })]);
            }
            catch (Exception) when (!cancellation.IsCancellationRequested)
            {
                // It may be stored, and it may not.
            }
        }).ToArray();
        await cluster.AddAsync(SiloRole.Orchestrator);
        await cluster.KillAsync(cluster.Silos.First(s => s.Role == SiloRole.Orchestrator).Silo);
        await Task.WhenAll(calls);
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
