using Orleans.Placement;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Orleans.Runtime.Placement;
using Silo.Cluster.Contracts.Inference;

namespace Silo.Cluster.Hosting.Placement;

/// <summary>
/// Decides which hosts meet a grain's demand. Metadata of a host that has just joined reads as empty until it was
/// fetched: such a host is no candidate yet, and the caller asks again.
/// </summary>
internal sealed class EnginePlacementDirector(ISiloMetadataCache cache) : IPlacementFilterDirector
{
    public IEnumerable<SiloAddress> Filter(PlacementFilterStrategy filterStrategy, PlacementTarget target, IEnumerable<SiloAddress> silos)
    {
        var demand = InferenceKeys.DemandOf(target.GrainIdentity.Key.ToString()!);
        return silos.Where(silo => Meets(cache.GetSiloMetadata(silo).Metadata, demand));
    }

    internal static bool Meets(IReadOnlyDictionary<string, string> host, EngineDemand demand) =>
        Is(host, EnginePlacementStrategy.Model, demand.Model)
        && (demand.Device is null || Is(host, EnginePlacementStrategy.Device, demand.Device))
        && (demand.Engine is null || Is(host, EnginePlacementStrategy.Engine, demand.Engine))
        && (!host.TryGetValue(EnginePlacementStrategy.FreeMemory, out var free) || (long.TryParse(free, out var bytes) && bytes > 0));

    private static bool Is(IReadOnlyDictionary<string, string> host, string key, string value) =>
        host.TryGetValue(key, out var own) && string.Equals(own, value, StringComparison.Ordinal);
}
