using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Silo.Experiments.Generation;
using Silo.Models.Tests.Gguf.Llama;

namespace Silo.Models.Tests.Decoding;

/// <summary>The instruments are the process's: nothing else may run beside these.</summary>
[Collection(nameof(EngineMetricsTests))]
[CollectionDefinition(nameof(EngineMetricsTests), DisableParallelization = true)]
public sealed class EngineMetricsTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_engine_tells_how_busy_and_full_it_was_and_how_long_requests_waited()
    {
        var seen = new ConcurrentDictionary<string, ConcurrentQueue<double>>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, l) => { if (instrument.Meter.Name == EngineMetrics.Name) l.EnableMeasurementEvents(instrument); } };
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => seen.GetOrAdd(instrument.Name, _ => new()).Enqueue(value));
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => seen.GetOrAdd(instrument.Name, _ => new()).Enqueue(value));
        listener.Start();
        using var model = LanguageModels.Open(GoldenLogits.Model("q8_0"), new ModelOptions { Threads = 1 });
        var start = Stopwatch.GetTimestamp();
        IReadOnlyList<GenerationResult>[] results;
        await using (var engine = new GenerationEngine(model, new GenerationEngineOptions { RowLimit = 4 }))
            results = await Task.WhenAll(
                engine.GenerateAsync(GenerationEngineTests.Request("Once upon a time", 12, [0.5, 1, 1.5]), null, Cancelled),
                engine.GenerateAsync(GenerationEngineTests.Request("Lily", 12, [0.5, 1, 1.5, 0]), null, Cancelled));
        var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;

        Assert.InRange(seen["silo.engine.busy"].Sum(), 1e-6, elapsed);
        Assert.InRange(seen["silo.features.time"].Sum(), 1e-9, seen["silo.engine.busy"].Sum());
        Assert.All(seen["silo.batch.fill"], fill => Assert.Contains(fill, (double[])[0.25, 0.5, 0.75, 1]));
        // Every token but a row's last is given to a step: rows of all steps are the tokens that were stepped.
        var steps = results.SelectMany(r => r).Sum(r => r.Finish == FinishReason.Stop ? r.Tokens.Length : r.Tokens.Length - 1);
        Assert.Equal(steps, seen["silo.batch.fill"].Sum() * 4, 9);
        Assert.Equal(2, seen["silo.queue.duration"].Count);
        Assert.All(seen["silo.queue.duration"], waited => Assert.InRange(waited, 0, elapsed));
        // What rows held is given back: the changes sum up to nothing.
        Assert.Contains(seen["silo.kv"], change => change > 0);
        Assert.Equal(0, seen["silo.kv"].Sum());
    }
}
