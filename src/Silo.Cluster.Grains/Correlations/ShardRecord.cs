using System.Text.Json.Serialization;
using Silo.Cluster.Contracts.Correlations;

namespace Silo.Cluster.Grains.Correlations;

/// <summary>What a shard stores: its sums, and how much of each prompt they hold.</summary>
internal sealed record ShardRecord
{
    public required byte[] Sums { get; init; }

    public required Dictionary<string, Counted> Counted { get; init; }
}

[JsonSerializable(typeof(ShardRecord))]
internal sealed partial class ShardJson : JsonSerializerContext;
