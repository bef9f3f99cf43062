using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Configuration;
using Orleans.Placement;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Inference;
using Silo.Cluster.Contracts.Security;
using Silo.Cluster.Hosting.Placement;
using Silo.Cluster.Hosting.Security;

namespace Silo.Cluster.Hosting;

/// <summary>How Orleans is set up in every host of a cluster, whatever it is hosted in and stores its state in.</summary>
public static class ClusterSetup
{
    /// <summary>Placement by engine, timed calls, bounded messages, traces.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="metadata">What placement may know of this host.</param>
    /// <param name="isExcluded">Grain classes that this host must not activate although it references them.</param>
    public static ISiloBuilder AddSiloCluster(this ISiloBuilder silo, Dictionary<string, string> metadata, Func<Type, bool> isExcluded)
    {
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.TryAddSingleton<ClusterMetrics>();
        silo.UseSiloMetadata(metadata);
        silo.Services.AddPlacementFilter<EnginePlacementStrategy, EnginePlacementDirector>(ServiceLifetime.Singleton);
        silo.AddIncomingGrainCallFilter<CallTimer>();
        silo.Services.AddSingleton<IConfigureGrainContextProvider, ActivationCounter>();
        silo.AddActivityPropagation();
        silo.Configure<SiloMessagingOptions>(o =>
        {
            o.ResponseTimeout = TimeSpan.FromSeconds(30);
            o.CancelRequestOnTimeout = true;
            o.MaxMessageBodySize = Limits.MaxMessageBytes;
        });
        silo.Configure<GrainTypeOptions>(o => o.Classes.RemoveWhere(type => isExcluded(type)));
        // Most grains are spoken to for seconds and then hardly ever. Orleans keeps where a million of them were, some 300 bytes each,
        // in every silo: four of the largest windows are enough, 5 MB when it is full.
        silo.Configure<GrainDirectoryOptions>(o => o.CacheSize = 4 * Limits.MaxWindow);
        // Reminders that were removed stay in memory, about a kilobyte each, until the list is read again; ranks of prompts that have ended
        // set and remove one each.
        silo.Configure<ReminderOptions>(o => o.RefreshReminderListPeriod = TimeSpan.FromMinutes(1));
        // A prompt is used for seconds, then for ranks now and then.
        silo.Configure<GrainCollectionOptions>(o => o.CollectionAge = TimeSpan.FromMinutes(5));
        return silo;
    }

    /// <summary>Asks every call for a token, and signs those of the silo itself.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="keys">The keys; see <see cref="AccessTokens"/>.</param>
    public static ISiloBuilder AddSiloTokens(this ISiloBuilder silo, IReadOnlyList<byte[]> keys)
    {
        silo.Services.AddSingleton(provider => new AccessTokens(keys, provider.GetRequiredService<TimeProvider>()));
        silo.AddIncomingGrainCallFilter<TokenFilter>();
        silo.AddOutgoingGrainCallFilter<InternalTokenFilter>();
        return silo;
    }
}
