using System.Diagnostics;
using Silo.Client;
using Silo.Cluster.Tests.Fixtures;

namespace Silo.Cluster.Tests.Load;

/// <summary>How many generations a second pass through prompt, inference and aggregate grains when the engine costs nothing. Prints; asserts only that all is there.</summary>
public class LoadTests
{
    /// <summary>Numbers of prompts; SILO_LOAD=1000,10000 sets others.</summary>
    public static TheoryData<int> Sizes => Environment.GetEnvironmentVariable("SILO_LOAD") is { Length: > 0 } sizes ? [.. sizes.Split(',').Select(int.Parse)]
        : Environment.GetEnvironmentVariable("SILO_LONG") == "1" ? [1_000, 10_000, 100_000] : [300];

    [Theory, MemberData(nameof(Sizes))]
    public async Task Generations_pass_at_a_steady_rate(int prompts)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var spec = Specs.Small(prompts, "load") with { Traces = Silo.Experiments.Spec.TraceKeeping.None, MaxTokens = 1 };
        await using var cluster = await TestCluster.StartAsync(new TestWorld { RemindEvery = TimeSpan.FromMinutes(1), ShardGathers = TimeSpan.FromMilliseconds(250) });
        var start = Stopwatch.GetTimestamp();
        var (processor, bytes) = (Process.GetCurrentProcess().TotalProcessorTime, GC.GetTotalAllocatedBytes());
        await cluster.Client.SubmitAsync("load", spec, new SubmitOptions { Window = 512 }, null, cancellation);
        var submitted = Stopwatch.GetElapsedTime(start);
        var end = await cluster.Client.WatchAsync("load", 0, cancellation).LastAsync(cancellation);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var spent = (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{prompts} prompts: {end.Kept} generations in {seconds:0.0} s ({end.Kept / seconds:0} a second; {end.Kept / spent:0} per second of processor time, {spent:0.0} s), "
            + $"submitted in {submitted.TotalSeconds:0.0} s, {cluster.World.Store.Writes} writes, {(GC.GetTotalAllocatedBytes() - bytes) / 1e6 / end.Kept:0.00} MB allocated a generation, heap {GC.GetTotalMemory(true) / 1e6:0} MB");
        Assert.Equal(3L * prompts, end.Kept);
        Assert.Equal(prompts, (await cluster.Client.BoardAsync("load", cancellation)).Prompts);
    }
}
