using System.Buffers.Binary;
using Orleans.Storage;
using Silo.Cluster.Contracts;

namespace Silo.Cluster.Hosting;

/// <summary>
/// How packed state lies in a store: its format as four bytes, little-endian, then its data. Nothing of any version of
/// .NET, Orleans or a JSON library is in it, so that every later version can read it.
/// </summary>
public sealed class PackedStateSerializer : IGrainStorageSerializer
{
    /// <inheritdoc />
    public BinaryData Serialize<T>(T? input)
    {
        if (input is not PackedState state) throw new NotSupportedException($"{typeof(T)} is no packed state");
        var bytes = new byte[4 + state.Data.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, state.Format);
        state.Data.CopyTo(bytes.AsSpan(4));
        return new BinaryData(bytes);
    }

    /// <inheritdoc />
    public T? Deserialize<T>(BinaryData input)
    {
        var bytes = input.ToMemory().Span;
        if (bytes.Length < 4) throw new InvalidDataException($"packed state of {bytes.Length} bytes: expected at least 4");
        return (T)(object)new PackedState { Format = BinaryPrimitives.ReadInt32LittleEndian(bytes), Data = bytes[4..].ToArray() };
    }
}
