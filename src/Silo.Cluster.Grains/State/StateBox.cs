using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orleans.Storage;
using Silo.Cluster.Contracts;

namespace Silo.Cluster.Grains.State;

/// <summary>A grain's state of type <typeparamref name="T"/> on any provider: read once, written whole, measured, bounded.</summary>
/// <param name="state">Orleans' own holder.</param>
/// <param name="type">How the value is written as JSON; members are only ever added, with defaults.</param>
/// <param name="kind">What metrics call it.</param>
/// <param name="limit">Most bytes that are written.</param>
/// <param name="metrics">Where writes are counted.</param>
/// <param name="form">How the value is written as bytes, where JSON costs too much; JSON that lies there is still read.</param>
internal sealed class StateBox<T>(
    IPersistentState<PackedState> state, JsonTypeInfo<T> type, string kind, int limit, ClusterMetrics metrics, StateForm<T>? form = null)
    where T : class
{
    private const int CompressFrom = 2_048;

    /// <summary>The value, with changes that are not stored yet; null where there is none.</summary>
    public T? Value { get; set; }

    /// <summary>The value as the store has it. What others are told, and what is computed for them, is this.</summary>
    public T? Stored { get; private set; }

    /// <summary>Unpacks what Orleans read when the grain was activated.</summary>
    public void Load()
    {
        Stored = Value = state.State.Format switch
        {
            0 => null,
            1 => JsonSerializer.Deserialize(state.State.Data, type),
            2 => Decompress(state.State.Data),
            3 when form is not null => form.FromBytes(state.State.Data),
            var unknown => throw new InvalidDataException($"{kind} state has format {unknown}: it was written by a later version"),
        };
    }

    /// <summary>How many bytes a value would take.</summary>
    public int SizeOf(T value) => Pack(value).Data.Length;

    /// <summary>Writes the value, or what it was at some time before.</summary>
    /// <exception cref="StateTooLargeException">It is over the limit; nothing was written.</exception>
    /// <exception cref="StateNotStoredException">The store failed, or another activation wrote meanwhile.</exception>
    public async Task WriteAsync(T? earlier = null)
    {
        var written = earlier ?? Value!;
        var packed = Pack(written);
        if (packed.Data.Length > limit) throw new StateTooLargeException(kind, packed.Data.Length, limit);
        state.State = packed;
        var start = Stopwatch.GetTimestamp();
        try
        {
            await state.WriteStateAsync();
        }
        catch (Exception e)
        {
            metrics.StorageFailure(kind, e is InconsistentStateException ? "conflict" : "write");
            // Providers' own exceptions cannot travel to those who do not have the provider.
            throw new StateNotStoredException($"{kind} state: {e.GetType().Name}: {e.Message}");
        }
        Stored = written;
        metrics.StorageWrite(kind, packed.Data.Length, Stopwatch.GetElapsedTime(start));
    }

    private PackedState Pack(T value)
    {
        if (form is not null) return new PackedState { Format = 3, Data = form.ToBytes(value) };
        var json = JsonSerializer.SerializeToUtf8Bytes(value, type);
        return json.Length < CompressFrom ? new PackedState { Format = 1, Data = json } : new PackedState { Format = 2, Data = Compress(json) };
    }

    private static byte[] Compress(byte[] json)
    {
        using var output = new MemoryStream();
        using (var brotli = new BrotliStream(output, CompressionLevel.Fastest)) brotli.Write(json);
        return output.ToArray();
    }

    private T? Decompress(byte[] data)
    {
        using var brotli = new BrotliStream(new MemoryStream(data), CompressionMode.Decompress);
        return JsonSerializer.Deserialize(brotli, type);
    }
}
