using System.Collections.Concurrent;
using System.Diagnostics;
using Silo.Client;
using Silo.Cluster.Tests.Fixtures;
using Silo.Experiments.Campaign;
using Silo.Experiments.Generation;

namespace Silo.Cluster.Tests.Inference;

/// <summary>Engines that are busy, and engines that do not answer.</summary>
public class EngineTroubleTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_busy_engine_is_asked_ever_more_seldom_and_nothing_fails_of_it()
    {
        // Each wait is twice the one before: after the fourth it is two seconds.
        const int Busy = 4;
        var asked = new ConcurrentQueue<long>();
        await using var cluster = await TestCluster.StartAsync(new TestWorld
        {
            InferenceSilos = 1,
            // No reminder asks in between.
            RemindEvery = TimeSpan.FromMinutes(1),
            Engine = () => new ToyEngine
            {
                Before = (call, _, _) =>
                {
                    asked.Enqueue(Stopwatch.GetTimestamp());
                    return call <= Busy ? throw new EngineBusyException() : Task.CompletedTask;
                },
            },
        });
        using var waits = new MetricSum(cluster, "silo.capacity.waits", "busy");
        var spec = Specs.Small(1);
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 8 }, null, Cancellation);
        var end = await cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation);

        Assert.Equal((3L, 0L), (end.Kept, end.Failed));
        Assert.Equal(await Specs.LocalDigestAsync(spec, new ToyEngine()), end.Digest);
        Assert.Equal(Busy, waits.Value);
        long[] times = [.. asked];
        Assert.Equal(Busy + 1, times.Length);
        // Clocks tick in milliseconds, timers' own a little coarser.
        for (var i = 0; i < Busy; i++)
            Assert.True(Stopwatch.GetElapsedTime(times[i], times[i + 1]).TotalMilliseconds >= (new PromptRunOptions().BusyDelay << i) - 20, $"asked again {Stopwatch.GetElapsedTime(times[i], times[i + 1])} after busy answer {i + 1}");
        // The window has narrowed to what engines took, and the prompt's end has opened it by one.
        Assert.Equal((8, 2), (end.Window, end.Open));
    }

    [Fact]
    public async Task An_ask_without_an_answer_costs_an_attempt_and_is_asked_again()
    {
        var (cancelled, calls) = (0, 0);
        var spec = Specs.Small(1);
        await using var cluster = await StuckAsync(TimeSpan.FromSeconds(3), call => call == 1, () => Interlocked.Increment(ref cancelled), () => Interlocked.Increment(ref calls));
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions(), null, Cancellation);
        var end = await cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation);
        Assert.Equal((3L, 0L), (end.Kept, end.Failed));
        Assert.Equal(await Specs.LocalDigestAsync(spec, new ToyEngine()), end.Digest);
        // The engine was told that nobody waits any more.
        while (Volatile.Read(ref cancelled) == 0) await Task.Delay(10, Cancellation);
        Assert.InRange(calls, 2, new PromptRunOptions().Attempts);
    }

    [Fact]
    public async Task An_engine_that_never_answers_is_given_up_after_as_many_attempts_as_any_that_fails()
    {
        var calls = 0;
        await using var cluster = await StuckAsync(TimeSpan.FromSeconds(0.4), _ => true, () => { }, () => Interlocked.Increment(ref calls));
        await cluster.Client.SubmitAsync("e", Specs.Small(1), new SubmitOptions(), null, Cancellation);
        var end = await cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation);
        Assert.Equal(("finished", 0L, 3L), (end.Status, end.Kept, end.Failed));
        var failures = (await cluster.Client.TextsAsync("e", "p1", traces: false, Cancellation)).Failures;
        Assert.All(failures, f => Assert.Equal((new PromptRunOptions().Attempts, "no answer within 0.4 s"), (f.Attempts, f.Reason)));
        Assert.InRange(calls, 1, new PromptRunOptions().Attempts);
    }

    private static Task<TestCluster> StuckAsync(TimeSpan patience, Func<int, bool> isStuck, Action onCancelled, Action onCall) => TestCluster.StartAsync(new TestWorld
    {
        InferenceSilos = 1,
        RemindEvery = TimeSpan.FromMinutes(1),
        Timing = timing => timing.AskTimeout = patience,
        Engine = () => new ToyEngine
        {
            Before = async (call, _, cancellation) =>
            {
                onCall();
                if (!isStuck(call)) return;
                try
                {
                    await Task.Delay(Timeout.Infinite, cancellation);
                }
                finally
                {
                    onCancelled();
                }
            },
        },
    });
}
