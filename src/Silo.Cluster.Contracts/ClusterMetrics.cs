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

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _generations, _tokens, _retries, _failures, _ranks, _refused, _refusedConnections, _capacityWaits, _storageWrites, _storageBytes, _storageFailures;
    private readonly Histogram<double> _generationDuration, _callDuration, _storageDuration;
    private readonly UpDownCounter<long> _activations;

    /// <summary>Creates the instruments.</summary>
    public ClusterMetrics()
    {
        _generations = _meter.CreateCounter<long>("silo.generations", "{generation}", "Texts by state: asked, done, failed.");
        _tokens = _meter.CreateCounter<long>("silo.tokens", "{token}", "Tokens generated.");
        _retries = _meter.CreateCounter<long>("silo.retries", "{retry}", "Asks repeated, by cause.");
        _failures = _meter.CreateCounter<long>("silo.failures", "{failure}", "Texts given up, by cause.");
        _ranks = _meter.CreateCounter<long>("silo.ranks", "{rank}", "Ranks taken, by change: new, corrected, withdrawn, repeated.");
        _refused = _meter.CreateCounter<long>("silo.calls.refused", "{call}", "Calls refused, by reason.");
        _refusedConnections = _meter.CreateCounter<long>("silo.connections.refused", "{connection}", "Connections that ended before TLS was agreed upon, by who the port is for: hosts, clients.");
        _capacityWaits = _meter.CreateCounter<long>("silo.capacity.waits", "{wait}", "Asks that found no engine or a busy one, by reason.");
        _storageWrites = _meter.CreateCounter<long>("silo.storage.writes", "{write}", "Grain state writes, by kind of state.");
        _storageBytes = _meter.CreateCounter<long>("silo.storage.written", "By", "Bytes of grain state written, by kind of state.");
        _storageFailures = _meter.CreateCounter<long>("silo.storage.failures", "{failure}", "Grain state operations that failed, by kind of state and operation: write, conflict; read, by store, counted by the health check.");
        _generationDuration = _meter.CreateHistogram<double>("silo.generation.duration", "s", "Time from an ask to its texts.", advice: Seconds(0.01, 3600));
        _callDuration = _meter.CreateHistogram<double>("silo.call.duration", "s", "Time of grain calls, by interface.", advice: Seconds(0.0005, 30));
        _storageDuration = _meter.CreateHistogram<double>("silo.storage.duration", "s", "Time of grain state operations, by kind of state and operation.", advice: Seconds(0.0005, 30));
        _activations = _meter.CreateUpDownCounter<long>("silo.activations", "{activation}", "Active grains, by kind.");
    }

    /// <summary>Starts an activity that belongs to no other and links to one; null where nobody listens.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="trace">What it links to, as W3C <c>traceparent</c>, or null.</param>
    public static Activity? StartLinked(string name, string? trace) =>
        !Activities.HasListeners() ? null
            : Activities.StartActivity(name, ActivityKind.Internal, default(ActivityContext), links: ActivityContext.TryParse(trace, null, out var context) ? [new ActivityLink(context)] : null);

    /// <summary>The meter, for gauges that are observed where their values are.</summary>
    public Meter Meter => _meter;

    /// <summary>
    /// Shows counters at 0 whose labels are known before anything happens: a rate does not see the first event of a series
    /// that begins with it, and an alert that asks for a series that is not there asks in vain. To be called when metrics are listened to.
    /// </summary>
    public void ShowZeros()
    {
        foreach (var state in (ReadOnlySpan<string>)["asked", "done", "failed"]) Generations(state, 0);
        Tokens(0);
        Failures("given_up", 0);
        foreach (var cause in (ReadOnlySpan<string>)["failed", "duplicate", "otherengine", "cancelled"]) _retries.Add(0, new KeyValuePair<string, object?>("cause", cause));
        foreach (var change in (ReadOnlySpan<string>)["new", "corrected", "withdrawn", "repeated"]) Ranks(change, 0);
        foreach (var reason in (ReadOnlySpan<string>)["no token", "token not valid", "token expired", "token is for another experiment", "not for clients", "submission", "prompts", "ranks"])
            _refused.Add(0, new KeyValuePair<string, object?>("reason", reason));
        foreach (var port in (ReadOnlySpan<string>)["hosts", "clients"]) _refusedConnections.Add(0, new KeyValuePair<string, object?>("port", port));
        foreach (var reason in (ReadOnlySpan<string>)["no_engine", "busy", "other_engine"]) _capacityWaits.Add(0, new KeyValuePair<string, object?>("reason", reason));
        foreach (var state in (ReadOnlySpan<string>)["experiment", "open_experiments", "prompt", "prompt_texts", "prompt_page", "prompt_page_ends", "correlation_shard", "reminder"])
            foreach (var operation in (ReadOnlySpan<string>)["write", "conflict"])
                _storageFailures.Add(0, new KeyValuePair<string, object?>("state", state), new KeyValuePair<string, object?>("operation", operation));
    }

    /// <summary>Counts texts that reached a state.</summary>
    public void Generations(string state, long count) => _generations.Add(count, new KeyValuePair<string, object?>("state", state));

    /// <summary>Counts generated tokens.</summary>
    public void Tokens(long count) => _tokens.Add(count);

    /// <summary>Counts a repeated ask.</summary>
    public void Retry(string cause) => _retries.Add(1, new KeyValuePair<string, object?>("cause", cause));

    /// <summary>Counts texts that were given up.</summary>
    public void Failures(string cause, long count) => _failures.Add(count, new KeyValuePair<string, object?>("cause", cause));

    /// <summary>Counts ranks taken.</summary>
    public void Ranks(string change, long count) => _ranks.Add(count, new KeyValuePair<string, object?>("change", change));

    /// <summary>Counts a refused call.</summary>
    public void CallRefused(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>Counts a connection that was refused.</summary>
    public void ConnectionRefused(string port) => _refusedConnections.Add(1, new KeyValuePair<string, object?>("port", port));

    /// <summary>Counts an ask that found no capacity.</summary>
    public void CapacityWait(string reason) => _capacityWaits.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>Counts a write of grain state.</summary>
    public void StorageWrite(string state, long bytes, TimeSpan duration)
    {
        var tag = new KeyValuePair<string, object?>("state", state);
        _storageWrites.Add(1, tag);
        _storageBytes.Add(bytes, tag);
        _storageDuration.Record(duration.TotalSeconds, tag, new KeyValuePair<string, object?>("operation", "write"));
    }

    /// <summary>Counts a failed operation on grain state.</summary>
    public void StorageFailure(string state, string operation) =>
        _storageFailures.Add(1, new KeyValuePair<string, object?>("state", state), new KeyValuePair<string, object?>("operation", operation));

    /// <summary>Records how long an ask took.</summary>
    public void Generated(TimeSpan time) => _generationDuration.Record(time.TotalSeconds);

    /// <summary>Records a grain call's time.</summary>
    public void Call(string interfaceName, TimeSpan time) => _callDuration.Record(time.TotalSeconds, new KeyValuePair<string, object?>("interface", interfaceName));

    /// <summary>Counts a grain's activation (+1) or deactivation (-1).</summary>
    public void Activation(string kind, int change) => _activations.Add(change, new KeyValuePair<string, object?>("kind", kind));

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

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
