using Silo.Client;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Tests.Fixtures;
using Silo.Experiments.Ranking;

namespace Silo.Cluster.Tests.Correlations;

public class BoardTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Many_who_ask_at_once_share_a_merge_that_began_after_they_asked()
    {
        const int Askers = 20;
        var (asked, merged, isHeld) = (0, 0, false);
        var gate = new TaskCompletionSource();
        var spec = Specs.Small(3);
        await using var cluster = await TestCluster.StartAsync(new TestWorld
        {
            InferenceSilos = 1,
            // Gauges would ask, too.
            Timing = timing => timing.GaugesLag = TimeSpan.FromHours(1),
            BeforeCalls = async context =>
            {
                if (context.InterfaceMethod?.DeclaringType == typeof(ICorrelationGrain) && context.MethodName == nameof(ICorrelationGrain.Board)) Interlocked.Increment(ref asked);
                if (context.InterfaceMethod?.DeclaringType != typeof(ICorrelationShardGrain) || context.MethodName != nameof(ICorrelationShardGrain.Sums)) return;
                if (Interlocked.Increment(ref merged) == 1 && isHeld) await gate.Task;
            },
        });
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions(), null, Cancellation);
        await cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation);
        Assert.Empty((await cluster.Client.BoardAsync("e", Cancellation)).Lines);

        (asked, merged, isHeld) = (0, 0, true);
        var first = cluster.Client.BoardAsync("e", Cancellation);
        while (Volatile.Read(ref merged) == 0) await Task.Delay(10, Cancellation);
        await cluster.Client.RankAsync("e", [.. spec.Temperatures.Select((t, i) => new RankEvent("p1", $"t{t}-0", "ann", null, i + 1))], Cancellation);
        var others = Enumerable.Range(0, Askers).Select(_ => cluster.Client.BoardAsync("e", Cancellation)).ToArray();
        while (Volatile.Read(ref asked) < Askers + 1) await Task.Delay(10, Cancellation);
        gate.SetResult();
        await first;
        foreach (var other in others) Assert.Contains((await other).Lines, line => line.Gold == "mean_rank");
        Assert.InRange(merged, 2, 3);
    }
}
