namespace Silo.Cluster.Tests.Storage;

/// <summary>A storage over a server that tests start.</summary>
/// <typeparam name="T">The storage itself.</typeparam>
public interface IServerStorage<T> : IAsyncDisposable where T : IServerStorage<T>
{
    /// <summary>Starts an empty one; skips the running test, by name, where there is none to be had.</summary>
    static abstract Task<T> StartNewAsync();
}

/// <summary>One server for all tests that do not stop it, started when the first asks for it; a fixture of an assembly.</summary>
/// <typeparam name="T">The storage over it.</typeparam>
public sealed class SharedStorage<T> : IAsyncDisposable where T : IServerStorage<T>
{
    private readonly Lazy<Task<T>> _started = new(T.StartNewAsync);

    public Task<T> GetAsync() => _started.Value;

    public async ValueTask DisposeAsync()
    {
        if (_started is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) await (await _started.Value).DisposeAsync();
    }
}
