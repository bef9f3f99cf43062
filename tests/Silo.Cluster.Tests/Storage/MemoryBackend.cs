using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Silo.Cluster.Tests.Fixtures;

namespace Silo.Cluster.Tests.Storage;

/// <summary>The test's own memory as clusters' storage.</summary>
internal sealed class MemoryBackend : IStorageBackend, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, TestWorld> _services = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TestMembership> _clusters = new(StringComparer.Ordinal);

    public void Register(ISiloBuilder silo, string service)
    {
        TestSilo.AddMemory(silo, _services.GetOrAdd(service, _ => new TestWorld()));
        silo.Services.AddSingleton<IMembershipTable>(provider =>
            _clusters.GetOrAdd(provider.GetRequiredService<IOptions<ClusterOptions>>().Value.ClusterId, _ => new TestMembership()));
    }

    public Task StopAsync() => SetAsync(isDown: true);

    public Task StartAsync() => SetAsync(isDown: false);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task SetAsync(bool isDown)
    {
        foreach (var world in _services.Values) world.Store.Faults.IsDown = isDown;
        return Task.CompletedTask;
    }
}
