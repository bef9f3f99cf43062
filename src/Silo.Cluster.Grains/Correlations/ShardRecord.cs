using System.Text.Json.Serialization;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Grains.State;

namespace Silo.Cluster.Grains.Correlations;

/// <summary>What a shard stores: its sums, and how much of each prompt they hold.</summary>
internal sealed record ShardRecord
{
    public required byte[] Sums { get; init; }

    public required Dictionary<string, Counted> Counted { get; init; }

    public static StateForm<ShardRecord> Form { get; } = new(1, Write, Read);

    private static void Write(BinaryWriter writer, ShardRecord record)
    {
        writer.WriteArray<byte>(record.Sums);
        writer.Write7BitEncodedInt(record.Counted.Count);
        foreach (var (prompt, counted) in record.Counted)
        {
            writer.Write(prompt);
            writer.Write(counted.Texts);
            writer.Write7BitEncodedInt(counted.Ranks);
        }
    }

    private static ShardRecord Read(BinaryReader reader, int version)
    {
        var sums = reader.ReadArray<byte>();
        var count = reader.ReadCount();
        var counted = new Dictionary<string, Counted>(count, StringComparer.Ordinal);
        for (var i = 0; i < count; i++) counted.Add(reader.ReadString(), new Counted(reader.ReadBoolean(), reader.Read7BitEncodedInt()));
        return new ShardRecord { Sums = sums, Counted = counted };
    }
}

[JsonSerializable(typeof(ShardRecord))]
internal sealed partial class ShardJson : JsonSerializerContext;
