using System.Diagnostics.CodeAnalysis;
using Orleans.Metadata;
using Silo.Cluster.Contracts;

namespace Silo.Cluster.Hosting;

/// <summary>Counts the activations of Silo's grains by kind: <c>experiment</c>, <c>prompt</c>, <c>inference</c> and so on.</summary>
internal sealed class ActivationCounter(ClusterMetrics metrics, GrainClassMap classes) : IConfigureGrainContextProvider, IConfigureGrainContext
{
    public bool TryGetConfigurator(GrainType grainType, GrainProperties properties, [NotNullWhen(true)] out IConfigureGrainContext? configurator)
    {
        configurator = classes.TryGetGrainClass(grainType, out var type) && IsOurs(type) ? this : null;
        return configurator is not null;
    }

    public void Configure(IGrainContext context)
    {
        var kind = context.GrainId.Type.ToString()!;
        context.ObservableLifecycle.Subscribe(nameof(ActivationCounter), GrainLifecycleStage.First,
            _ => Count(kind, 1),
            _ => Count(kind, -1));
    }

    private static bool IsOurs(Type type) => type.GetInterfaces().Any(i => i.Assembly == typeof(ClusterMetrics).Assembly);

    private Task Count(string kind, int change)
    {
        metrics.Activation(kind, change);
        return Task.CompletedTask;
    }
}
