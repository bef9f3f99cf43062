using Microsoft.Extensions.DependencyInjection;
using Silo.Cluster.Grains.Campaigns;
using Silo.Cluster.Grains.Correlations;

namespace Silo.Cluster.Grains;

/// <summary>What the grains of this assembly need.</summary>
public static class GrainServices
{
    /// <summary>Registers it.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="timing">Sets what the host is told of <see cref="CampaignTiming"/>.</param>
    public static IServiceCollection AddSiloGrains(this IServiceCollection services, Action<CampaignTiming>? timing = null) => services
        .Configure(timing ?? (_ => { }))
        .AddSingleton<ContextCache>()
        .AddSingleton<CampaignGauges>()
        .AddSingleton<RhoGauges>();

    /// <summary>Whether a grain class is of this assembly; hosts that only pass calls on exclude them.</summary>
    public static bool IsGrain(Type type) => type.Assembly == typeof(GrainServices).Assembly;
}
