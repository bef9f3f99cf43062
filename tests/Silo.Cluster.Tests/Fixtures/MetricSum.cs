using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Silo.Cluster.Contracts;

namespace Silo.Cluster.Tests.Fixtures;

/// <summary>What the silos of one cluster have added to an instrument since this began to listen, where its first label has one value.</summary>
internal sealed class MetricSum : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _value;

    public MetricSum(TestCluster cluster, string instrument, string label)
    {
        // Other clusters of the same process have meters of the same name.
        var meters = cluster.Silos.Select(s => s.Silo.ServiceProvider.GetRequiredService<ClusterMetrics>().Meter).ToHashSet();
        _listener.InstrumentPublished = (published, listener) =>
        {
            if (meters.Contains(published.Meter) && published.Name == instrument) listener.EnableMeasurementEvents(published);
        };
        _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            if (tags[0].Value is string value && value == label) Interlocked.Add(ref _value, count);
        });
        _listener.Start();
    }

    public long Value => Interlocked.Read(ref _value);

    public void Dispose() => _listener.Dispose();
}
