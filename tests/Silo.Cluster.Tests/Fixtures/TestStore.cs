using System.Collections.Concurrent;
using Orleans.Storage;
using Silo.Cluster.Contracts;
using Silo.Cluster.Hosting;

namespace Silo.Cluster.Tests.Fixtures;

/// <summary>
/// Grain state that outlives every silo: what a cloud store is to a cluster. Holds copies as bytes, checks ETags, and does
/// to writes what it is told to.
/// </summary>
internal sealed class TestStore(StoreFaults? faults = null) : IGrainStorage
{
    private readonly ConcurrentDictionary<(string State, GrainId Grain), Document> _documents = new();
    private readonly PackedStateSerializer _serializer = new();
    private long _versions;

    public long Writes;

    public StoreFaults Faults { get; } = faults ?? new StoreFaults(null);

    public IReadOnlyCollection<KeyValuePair<(string State, GrainId Grain), byte[]>> Content =>
        [.. _documents.Select(d => KeyValuePair.Create(d.Key, d.Value.Bytes))];

    /// <summary>Forgets an experiment, so that a test may run one after another without end.</summary>
    public void Forget(string experiment)
    {
        foreach (var (key, _) in _documents)
            if (Keys.ExperimentOf(key.Grain.Key.ToString()!) == experiment) _documents.TryRemove(key, out _);
    }

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await Task.Yield();
        await Faults.OnReadAsync();
        if (_documents.TryGetValue((stateName, grainId), out var found))
            (grainState.State, grainState.ETag, grainState.RecordExists) = (_serializer.Deserialize<T>(new BinaryData(found.Bytes))!, found.ETag, true);
        else
            (grainState.State, grainState.ETag, grainState.RecordExists) = ((T)(object)new PackedState(), null, false);
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await Task.Yield();
        Interlocked.Increment(ref Writes);
        var bytes = _serializer.Serialize(grainState.State).ToArray();
        if (stateName == Faults.Refused) throw new IOException("the store refused");
        await Faults.OnWriteAsync(() => Put((stateName, grainId), bytes, grainState.ETag), etag => (grainState.ETag, grainState.RecordExists) = (etag, true));
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => throw new NotSupportedException("nothing is ever cleared");

    private string Put((string, GrainId) key, byte[] bytes, string? etag)
    {
        var written = new Document(bytes, Interlocked.Increment(ref _versions).ToString());
        var after = _documents.AddOrUpdate(key, _ => etag is null ? written : throw Conflict(key, etag, "nothing"), (_, before) => before.ETag == etag ? written : throw Conflict(key, etag, before.ETag));
        return after.ETag;
    }

    private static InconsistentStateException Conflict((string State, GrainId Grain) key, string? expected, string found) =>
        new($"{key.State} {key.Grain}: expected {expected ?? "nothing"}, found {found}");

    private sealed record Document(byte[] Bytes, string ETag);
}

/// <summary>What goes wrong with a store, drawn from a seed; nothing where there is none.</summary>
internal sealed class StoreFaults(int? seed)
{
    private readonly Random _random = new(seed ?? 0);

    /// <summary>Share of operations that something happens to.</summary>
    public double Share { get; set; } = seed is null ? 0 : 0.08;

    /// <summary>Nothing is read or written at all.</summary>
    public bool IsDown { get; set; }

    /// <summary>Name of a state that is not written.</summary>
    public string? Refused { get; set; }

    public int Injected;

    public Task OnReadAsync() => Draw() switch
    {
        0 => throw new IOException("the store did not answer"),
        1 => Task.Delay(20),
        _ => Task.CompletedTask,
    };

    public async Task OnWriteAsync(Func<string> put, Action<string> tellETag)
    {
        switch (Draw())
        {
            case 0:
                throw new IOException("the store refused");
            case 1:
                put();
                throw new IOException("the store wrote, and its answer was lost");
            case 2:
                put();
                // A request that the network doubled: the second finds that the first has changed the ETag.
                put();
                break;
            case 3:
                await Task.Delay(30);
                tellETag(put());
                break;
            default:
                tellETag(put());
                break;
        }
    }

    private int Draw()
    {
        if (IsDown) return 0;
        if (Share == 0) return -1;
        lock (_random)
        {
            if (_random.NextDouble() >= Share) return -1;
            Injected++;
            return _random.Next(4);
        }
    }
}
