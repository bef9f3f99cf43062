using System.Diagnostics;
using Silo.Client;
using Silo.Cluster.Tests.Fixtures;
using Silo.Experiments.Spec;

namespace Silo.Cluster.Tests.Load;

/// <summary>
/// How many generations a second pass through prompt, inference and aggregate grains when the engine costs nothing, and what is
/// left in memory and store. Prints; asserts only that all is there.
/// </summary>
public class LoadTests
{
    private const int Warm = 500;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Numbers of prompts; SILO_LOAD=1000,10000 sets others.</summary>
    public static TheoryData<int> Sizes => Environment.GetEnvironmentVariable("SILO_LOAD") is { Length: > 0 } sizes ? [.. sizes.Split(',').Select(int.Parse)]
        : Environment.GetEnvironmentVariable("SILO_LONG") == "1" ? [1_000, 10_000, 100_000] : [300];

    [Theory, MemberData(nameof(Sizes))]
    public async Task Generations_pass_at_a_steady_rate(int prompts)
    {
        await using var cluster = await TestCluster.StartAsync(new TestWorld { RemindEvery = TimeSpan.FromMinutes(1), ShardGathers = TimeSpan.FromMilliseconds(250) });
        // What the runtime compiles first is no part of a steady rate.
        await RunAsync(cluster, "warm", Warm);
        var store = cluster.World.Store;
        var (writes, bytes, heap) = (store.Writes, GC.GetTotalAllocatedBytes(), GC.GetTotalMemory(true));
        var paused = GC.GetTotalPauseDuration();
        var (start, processor) = (Stopwatch.GetTimestamp(), Process.GetCurrentProcess().TotalProcessorTime);
        var (submitted, kept) = await RunAsync(cluster, "load", prompts);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var spent = (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds;
        paused = GC.GetTotalPauseDuration() - paused;
        var allocated = GC.GetTotalAllocatedBytes() - bytes;
        var stored = store.Content.Where(d => d.Key.Grain.Key.ToString()!.StartsWith("load", StringComparison.Ordinal)).GroupBy(d => d.Key.State)
            .Select(g => (State: g.Key, Count: g.Count(), Bytes: g.Sum(d => (long)d.Value.Length))).OrderByDescending(s => s.Bytes).ToArray();
        var active = await cluster.Orleans.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics(Cancellation);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{prompts} prompts: {kept} generations in {seconds:0.0} s ({kept / seconds:0} a second; {kept / spent:0} per second of processor time, {spent:0.0} s), "
            + $"submitted in {submitted:0.0} s, {(store.Writes - writes) / (double)kept:0.00} writes and {allocated / 1e3 / kept:0} kB allocated a generation, {paused.TotalSeconds:0.0} s paused to collect; "
            + $"heap without the store {(GC.GetTotalMemory(true) - heap - stored.Sum(s => s.Bytes)) / 1e6:0} MB more than before, {active.Where(a => a.GrainType.Contains("Silo.", StringComparison.Ordinal)).Sum(a => a.ActivationCount)} activations; "
            + $"stored per prompt: {string.Join(", ", stored.Select(s => $"{s.State} {s.Bytes / (double)prompts:0.0} ({s.Bytes / (double)s.Count:0} each)"))}");
        Assert.Equal(3L * prompts, kept);
        Assert.Equal(prompts, (await cluster.Client.BoardAsync("load", Cancellation)).Prompts);
    }

    private static async Task<(double Submitted, long Kept)> RunAsync(TestCluster cluster, string experiment, int prompts)
    {
        var spec = Specs.Small(prompts, experiment) with { Traces = TraceKeeping.None, MaxTokens = 1 };
        var start = Stopwatch.GetTimestamp();
        await cluster.Client.SubmitAsync(experiment, spec, new SubmitOptions { Window = 512 }, null, Cancellation);
        var submitted = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return (submitted, (await cluster.Client.WatchAsync(experiment, 0, Cancellation).LastAsync(Cancellation)).Kept);
    }
}
