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
internal sealed class StateBox<T>(IPersistentState<PackedState> state, JsonTypeInfo<T> type, string kind, int limit, ClusterMetrics metrics)
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
            var unknown => throw new InvalidDataException($"{kind} state has format {unknown}: it was written by a later version"),
        };
    }

    /// <summary>Writes the value, or what it was at some time before.</summary>
    /// <exception cref="StateTooLargeException">It is over the limit; nothing was written.</exception>
    /// <exception cref="StateNotStoredException">The store failed, or another activation wrote meanwhile.</exception>
    public async Task WriteAsync(T? earlier = null)
    {
        var written = earlier ?? Value!;
        var json = JsonSerializer.SerializeToUtf8Bytes(written, type);
        var compressed = json.Length >= CompressFrom;
        var data = compressed ? Compress(json) : json;
        if (data.Length > limit) throw new StateTooLargeException(kind, data.Length, limit);
        state.State = new PackedState { Format = compressed ? 2 : 1, Data = data };
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
        metrics.StorageWrite(kind, data.Length, Stopwatch.GetElapsedTime(start));
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
