using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Silo.Models;

/// <summary>
/// What the engines of this process tell whoever listens, under the meter and the activity source <see cref="Name"/>. Where nobody does, it costs a
/// look at a clock per step.
/// </summary>
public static class EngineMetrics
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string Name = "Silo.Engine";

    /// <summary>One activity per request, from its place in the queue to its last text.</summary>
    internal static readonly ActivitySource Activities = new(Name);

    private static readonly Meter s_meter = new(Name);

    private static readonly Counter<double> s_busy = s_meter.CreateCounter<double>("silo.engine.busy", "s", "Seconds in which an engine was at work.");

    private static readonly Counter<double> s_features = s_meter.CreateCounter<double>("silo.features.time", "s", "Seconds of these spent on feature rows and sampling.");

    private static readonly Histogram<double> s_queue = s_meter.CreateHistogram<double>("silo.queue.duration", "s", "Time from a request to its first place in a batch.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500] });

    private static readonly Histogram<double> s_fill = s_meter.CreateHistogram<double>("silo.batch.fill", "1", "Rows of a step as a share of the most that the engine takes.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] });

    private static readonly UpDownCounter<long> s_cache = s_meter.CreateUpDownCounter<long>("silo.kv", "By", "Bytes of key/value cache that rows hold.");

    /// <summary>A round of the engine is over.</summary>
    /// <param name="rows">Rows that stepped.</param>
    /// <param name="rowLimit">Most rows that could have.</param>
    /// <param name="all">Time of the round.</param>
    /// <param name="features">Its part that went to features and sampling.</param>
    internal static void Round(int rows, int rowLimit, TimeSpan all, TimeSpan features)
    {
        s_busy.Add(all.TotalSeconds);
        s_features.Add(features.TotalSeconds);
        if (rows > 0) s_fill.Record((double)rows / rowLimit);
    }

    /// <summary>A request has got its first place.</summary>
    internal static void Waited(TimeSpan time) => s_queue.Record(time.TotalSeconds);

    /// <summary>An engine's rows hold so many bytes more or less.</summary>
    internal static void CacheChanged(long bytes)
    {
        if (bytes != 0) s_cache.Add(bytes);
    }
}
