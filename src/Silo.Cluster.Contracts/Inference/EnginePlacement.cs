using Orleans.Placement;

namespace Silo.Cluster.Contracts.Inference;

/// <summary>Places an inference grain only where its key's demand is met: see <see cref="EnginePlacementStrategy"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class EnginePlacementAttribute() : PlacementFilterAttribute(new EnginePlacementStrategy());

/// <summary>
/// Hosts say in their silo metadata which model they serve, by which engine, on which kind of device, with how much
/// memory free when they began. A grain goes to a host that serves what its key asks for.
/// </summary>
public sealed class EnginePlacementStrategy : PlacementFilterStrategy
{
    /// <summary>Metadata: name of the model.</summary>
    public const string Model = "silo.model";

    /// <summary>Metadata: kind of device, <c>cpu</c> or <c>cuda</c>.</summary>
    public const string Device = "silo.device";

    /// <summary>Metadata: <see cref="InferenceKeys.HashOf"/> the engine's fingerprint.</summary>
    public const string Engine = "silo.engine";

    /// <summary>Metadata: bytes free on the device for KV caches; a host with none takes no grain.</summary>
    public const string FreeMemory = "silo.free-memory";

    /// <summary>Creates the strategy.</summary>
    public EnginePlacementStrategy() : base(order: 0) { }
}
