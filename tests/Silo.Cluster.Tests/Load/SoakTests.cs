using System.Diagnostics;
using System.Globalization;
using Silo.Client;
using Silo.Cluster.Tests.Faults;
using Silo.Cluster.Tests.Fixtures;

namespace Silo.Cluster.Tests.Load;

/// <summary>
/// Campaign after campaign for hours, with ranks, corrections and reads, in the first half of the time with silos that restart, in the
/// second with the same ones all along: every one ends as it should, and what lives in memory does not grow. Two hours in the long
/// mode; SILO_SOAK_MINUTES sets another length.
/// </summary>
public class SoakTests
{
    private const int Prompts = 120;

    /// <summary>How much of the time it works: it must run beside other things.</summary>
    private const double Busy = 0.25;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Memory_stays_flat_over_campaign_after_campaign()
    {
        var asked = Environment.GetEnvironmentVariable("SILO_SOAK_MINUTES");
        if (string.IsNullOrEmpty(asked) && Environment.GetEnvironmentVariable("SILO_LONG") != "1") Assert.Skip("runs for hours: SILO_LONG=1 or SILO_SOAK_MINUTES asks for it");
        var length = TimeSpan.FromMinutes(string.IsNullOrEmpty(asked) ? 120 : double.Parse(asked, CultureInfo.InvariantCulture));
        await using var cluster = await TestCluster.StartAsync(new TestWorld { Orchestrators = 2, RemindEvery = TimeSpan.FromSeconds(10), ShardGathers = TimeSpan.FromMilliseconds(100) });
        var start = Stopwatch.GetTimestamp();
        var live = new List<(double At, double Megabytes)>();
        var (campaigns, restarts) = (0, 0);
        while (Stopwatch.GetElapsedTime(start) < length)
        {
            var began = Stopwatch.GetTimestamp();
            await CampaignAsync(cluster, campaigns, thorough: campaigns % 5 == 0);
            if (++campaigns % 5 == 0 && Stopwatch.GetElapsedTime(start) < length / 2) await RestartAsync(cluster, restarts++);
            cluster.World.Store.Forget(Name(campaigns - 1));
            await Task.Delay(Stopwatch.GetElapsedTime(began) * ((1 - Busy) / Busy), Cancellation);
            live.Add((Stopwatch.GetElapsedTime(start) / length, await LiveAsync(cluster)));
            TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Stopwatch.GetElapsedTime(start).TotalMinutes:0.0} min: {campaigns} campaigns, {restarts} restarts, {live[^1].Megabytes:0.0} MB live, {GC.GetGCMemoryInfo().TotalCommittedBytes / 1e6:0} MB committed, {cluster.World.Store.Writes} writes, {cluster.World.Store.Content.Count} documents"));
        }
        // Each silo that goes leaves something of itself in the process that hosts them all.
        AssertFlat(live, "with restarts", 0.1, 0.25, 0.4, 0.5);
        AssertFlat(live, "without", 0.55, 0.65, 0.9, 1.1);
    }

    private static void AssertFlat(IReadOnlyList<(double At, double Megabytes)> live, string how, double from, double to, double lateFrom, double lateTo)
    {
        var (early, late) = (Median(from, to), Median(lateFrom, lateTo));
        TestContext.Current.TestOutputHelper?.WriteLine($"live after a collection, {how}: median {early:0.0} MB from {from:0%} to {to:0%} of the time, {late:0.0} MB from {lateFrom:0%}");
        Assert.InRange(late, 0, early * 1.1 + 5);

        double Median(double from, double to)
        {
            double[] there = [.. live.Where(l => l.At >= from && l.At < to).Select(l => l.Megabytes).Order()];
            Assert.True(there.Length > 2, "too short to say anything");
            return there[there.Length / 2];
        }
    }

    private static string Name(int campaign) => $"soak-{campaign}";

    private static async Task CampaignAsync(TestCluster cluster, int number, bool thorough)
    {
        var (name, client) = (Name(number), cluster.Client);
        var spec = Specs.Small(Prompts, name);
        var ranks = Chaos.Ranks(spec, number);
        await client.SubmitAsync(name, spec, new SubmitOptions { Window = 16 }, null, Cancellation);
        // Half of the ranks come while texts are made; corrections and withdrawals are among both halves.
        await client.RankAsync(name, ranks.Take(ranks.Count / 2), Cancellation);
        var end = await client.WatchAsync(name, 0, Cancellation).LastAsync(Cancellation);
        await client.RankAsync(name, ranks.Skip(ranks.Count / 2), Cancellation);
        Assert.Equal((3L * Prompts, 0L), (end.Kept, end.Failed));
        Assert.Equal(Prompts, (await client.BoardAsync(name, Cancellation)).Prompts);
        foreach (var prompt in spec.Prompts.Take(20)) Assert.Equal(3, (await client.TextsAsync(name, prompt.Id, traces: true, Cancellation)).Texts.Count);
        if (!thorough) return;
        Assert.Equal(await Specs.LocalDigestAsync(spec, new ToyEngine()), end.Digest);
        await Recount.AssertRanksAsync(client, name, spec, ranks);
        await Recount.AssertBoardAsync(cluster.Orleans, name, spec);
    }

    private static async Task RestartAsync(TestCluster cluster, int number)
    {
        var silo = cluster.Silos.Where(s => s.Role == (number % 2 == 0 ? SiloRole.Inference : SiloRole.Orchestrator)).First();
        await cluster.AddAsync(silo.Role);
        await cluster.StopAsync(silo.Silo);
    }

    private static async Task<double> LiveAsync(TestCluster cluster)
    {
        // Grains that are idle are collected after minutes; how many there are depends on the pace, so they go first.
        await cluster.Orleans.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero, Cancellation);
        for (var i = 0; i < 2; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true);
            GC.WaitForPendingFinalizers();
        }
        return GC.GetTotalMemory(forceFullCollection: true) / 1e6;
    }
}
