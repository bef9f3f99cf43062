using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Storage;
using Silo.Client;
using Silo.TestKit.Servers;

namespace Silo.Cluster.Tests.Fixtures;

/// <summary>Where clusters keep what they know: outside of them, and longer than they live.</summary>
internal interface IStorageBackend
{
    /// <summary>Registers membership, reminders and both stores as the hosts do.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="service">Whose state it is.</param>
    void Register(ISiloBuilder silo, string service);

    /// <summary>The storage does not answer any more; what it has acknowledged stays.</summary>
    Task StopAsync();

    /// <summary>It answers again.</summary>
    Task StartAsync();
}

/// <summary>
/// A cluster of hosts in this process that meet over real sockets and in real storage: orchestrators, inference hosts,
/// and a gateway whose own client the test calls with.
/// </summary>
internal sealed class HostedCluster : IAsyncDisposable
{
    private readonly List<(IHost Host, SiloRole Role)> _hosts = [];

    private HostedCluster(TestWorld world) => World = world;

    public TestWorld World { get; }

    public IClusterClient Orleans => _hosts.First(h => h.Role == SiloRole.Gateway).Host.Services.GetRequiredService<IClusterClient>();

    public SiloClient Client => new(Orleans);

    /// <summary>Starts a cluster.</summary>
    /// <param name="world">What it is made of; its store and reminders are not used.</param>
    /// <param name="storage">Where it keeps what it knows.</param>
    /// <param name="service">Whose state it is; the cluster's own id is new.</param>
    public static async Task<HostedCluster> StartAsync(TestWorld world, IStorageBackend storage, string service)
    {
        var started = new HostedCluster(world);
        var cluster = Path.GetRandomFileName();
        SiloRole[] roles = [SiloRole.Gateway, .. Enumerable.Repeat(SiloRole.Orchestrator, world.Orchestrators), .. Enumerable.Repeat(SiloRole.Inference, world.InferenceSilos)];
        foreach (var role in roles) started._hosts.Add((Build(world, storage, cluster, service, role), role));
        try
        {
            await Task.WhenAll(started._hosts.Select(h => h.Host.StartAsync()));
        }
        catch
        {
            await started.KillAsync();
            throw;
        }
        return started;
    }

    /// <summary>A store as a host has it.</summary>
    public IGrainStorage Store(string name) => _hosts[^1].Host.Services.GetRequiredKeyedService<IGrainStorage>(name);

    /// <summary>A service of an orchestrator.</summary>
    public T Service<T>() where T : notnull => _hosts.First(h => h.Role == SiloRole.Orchestrator).Host.Services.GetRequiredService<T>();

    /// <summary>Ends all hosts at once, without a word to anyone.</summary>
    public async Task KillAsync()
    {
        await Task.WhenAll(_hosts.Select(h => KillAsync(h.Host)));
        _hosts.Clear();
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    private static async Task KillAsync(IHost host)
    {
        try
        {
            await host.StopAsync(new CancellationToken(canceled: true));
        }
        catch (OperationCanceledException)
        {
            // As it was asked to.
        }
        await ((IAsyncDisposable)host).DisposeAsync();
    }

    private static IHost Build(TestWorld world, IStorageBackend storage, string cluster, string service, SiloRole role)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.UseOrleans(silo =>
        {
            silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (cluster, service));
            silo.ConfigureEndpoints(IPAddress.Loopback, Ports.Free(), role == SiloRole.Gateway ? Ports.Free() : 0);
            storage.Register(silo, service);
            TestSilo.Configure(silo, role, world);
        });
        return builder.Build();
    }
}
