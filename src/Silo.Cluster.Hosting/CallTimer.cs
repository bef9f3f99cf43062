using System.Diagnostics;
using Silo.Cluster.Contracts;

namespace Silo.Cluster.Hosting;

/// <summary>Times grain calls by interface; Orleans' own histogram has buckets that no quantile can be taken from.</summary>
internal sealed class CallTimer(ClusterMetrics metrics) : IIncomingGrainCallFilter
{
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.InterfaceMethod?.DeclaringType?.Assembly != typeof(ClusterMetrics).Assembly)
        {
            await context.Invoke();
            return;
        }
        var start = Stopwatch.GetTimestamp();
        try
        {
            await context.Invoke();
        }
        finally
        {
            metrics.Call(context.InterfaceMethod.DeclaringType.Name, Stopwatch.GetElapsedTime(start));
        }
    }
}
