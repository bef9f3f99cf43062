using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Silo.Cluster.Contracts;

/// <summary>
/// What operators see, under the meter <c>Silo</c>. Names and units follow OpenTelemetry's conventions; Prometheus shows
/// <c>silo.queue.duration</c> in <c>s</c> as <c>silo_queue_duration_seconds</c>. No label is of unbounded size:
/// experiments are bounded by the limit of open ones, measures and golds by the specification's short list.
/// </summary>
public sealed class ClusterMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Silo";

    /// <summary>Traces from the client's submit to the engine.</summary>
    public static readonly ActivitySource Activities = new("Silo");

    private readonly Meter meter = new(MeterName);
    private readonly Counter<long> generations, tokens, retries, failures, ranks, refused, capacityWaits, storageWrites, storageBytes, storageFailures;
    private readonly Counter<double> engineBusy, featureTime;
    private readonly Histogram<double> queueDuration, generationDuration, callDuration, storageDuration, batchFill;
    private readonly UpDownCounter<long> activations;

    /// <summary>Creates the instruments.</summary>
    public ClusterMetrics()
    {
        generations = meter.CreateCounter<long>("silo.generations", "{generation}", "Texts by state: asked, done, failed.");
        tokens = meter.CreateCounter<long>("silo.tokens", "{token}", "Tokens generated.");
        retries = meter.CreateCounter<long>("silo.retries", "{retry}", "Asks repeated, by cause.");
        failures = meter.CreateCounter<long>("silo.failures", "{failure}", "Texts given up, by cause.");
        ranks = meter.CreateCounter<long>("silo.ranks", "{rank}", "Ranks taken, by change: new, corrected, withdrawn, repeated.");
        refused = meter.CreateCounter<long>("silo.calls.refused", "{call}", "Calls refused, by reason.");
        capacityWaits = meter.CreateCounter<long>("silo.capacity.waits", "{wait}", "Asks that found no engine or a busy one, by reason.");
        storageWrites = meter.CreateCounter<long>("silo.storage.writes", "{write}", "Grain state writes, by kind of state.");
        storageBytes = meter.CreateCounter<long>("silo.storage.written", "By", "Bytes of grain state written, by kind of state.");
        storageFailures = meter.CreateCounter<long>("silo.storage.failures", "{failure}", "Grain state operations that failed, by kind of state and operation: write, conflict.");
        engineBusy = meter.CreateCounter<double>("silo.engine.busy", "s", "Seconds in which the engine was stepping.");
        featureTime = meter.CreateCounter<double>("silo.features.time", "s", "Seconds spent on feature rows and sampling.");
        queueDuration = meter.CreateHistogram<double>("silo.queue.duration", "s", "Time from an ask to its first step.", advice: Seconds(0.01, 600));
        generationDuration = meter.CreateHistogram<double>("silo.generation.duration", "s", "Time from an ask to its texts.", advice: Seconds(0.01, 3600));
        callDuration = meter.CreateHistogram<double>("silo.call.duration", "s", "Time of grain calls, by interface.", advice: Seconds(0.0005, 30));
        storageDuration = meter.CreateHistogram<double>("silo.storage.duration", "s", "Time of grain state operations, by kind of state and operation.", advice: Seconds(0.0005, 30));
        batchFill = meter.CreateHistogram<double>("silo.batch.fill", "1", "Rows of a step as a share of the most that the engine takes.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] });
        activations = meter.CreateUpDownCounter<long>("silo.activations", "{activation}", "Active grains, by kind.");
    }

    /// <summary>The meter, for gauges that are observed where their values are.</summary>
    public Meter Meter => meter;

    /// <summary>Counts texts that reached a state.</summary>
    public void Generations(string state, long count) => generations.Add(count, new KeyValuePair<string, object?>("state", state));

    /// <summary>Counts generated tokens.</summary>
    public void Tokens(long count) => tokens.Add(count);

    /// <summary>Counts a repeated ask.</summary>
    public void Retry(string cause) => retries.Add(1, new KeyValuePair<string, object?>("cause", cause));

    /// <summary>Counts texts that were given up.</summary>
    public void Failures(string cause, long count) => failures.Add(count, new KeyValuePair<string, object?>("cause", cause));

    /// <summary>Counts ranks taken.</summary>
    public void Ranks(string change, long count) => ranks.Add(count, new KeyValuePair<string, object?>("change", change));

    /// <summary>Counts a refused call.</summary>
    public void CallRefused(string reason) => refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>Counts an ask that found no capacity.</summary>
    public void CapacityWait(string reason) => capacityWaits.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>Counts a write of grain state.</summary>
    public void StorageWrite(string state, long bytes, TimeSpan duration)
    {
        var tag = new KeyValuePair<string, object?>("state", state);
        storageWrites.Add(1, tag);
        storageBytes.Add(bytes, tag);
        storageDuration.Record(duration.TotalSeconds, tag, new KeyValuePair<string, object?>("operation", "write"));
    }

    /// <summary>Counts a failed operation on grain state.</summary>
    public void StorageFailure(string state, string operation) =>
        storageFailures.Add(1, new KeyValuePair<string, object?>("state", state), new KeyValuePair<string, object?>("operation", operation));

    /// <summary>Adds time in which the engine stepped.</summary>
    public void EngineBusy(TimeSpan time) => engineBusy.Add(time.TotalSeconds);

    /// <summary>Adds time spent on features and sampling.</summary>
    public void FeatureTime(TimeSpan time) => featureTime.Add(time.TotalSeconds);

    /// <summary>Records how long an ask waited for its first step.</summary>
    public void Queued(TimeSpan time) => queueDuration.Record(time.TotalSeconds);

    /// <summary>Records how long an ask took.</summary>
    public void Generated(TimeSpan time) => generationDuration.Record(time.TotalSeconds);

    /// <summary>Records how full a step's batch was, in [0, 1].</summary>
    public void BatchFill(double share) => batchFill.Record(share);

    /// <summary>Records a grain call's time.</summary>
    public void Call(string interfaceName, TimeSpan time) => callDuration.Record(time.TotalSeconds, new KeyValuePair<string, object?>("interface", interfaceName));

    /// <summary>Counts a grain's activation (+1) or deactivation (-1).</summary>
    public void Activation(string kind, int change) => activations.Add(change, new KeyValuePair<string, object?>("kind", kind));

    /// <inheritdoc />
    public void Dispose() => meter.Dispose();

    // A 1-2-5 ladder is readable on a dashboard and fine enough for a quantile.
    private static InstrumentAdvice<double> Seconds(double from, double to)
    {
        var bounds = new List<double>();
        for (var decade = from; decade <= to; decade *= 10)
            foreach (var step in (ReadOnlySpan<double>)[1, 2, 5])
                if (decade * step <= to) bounds.Add(decade * step);
        return new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds };
    }
}
