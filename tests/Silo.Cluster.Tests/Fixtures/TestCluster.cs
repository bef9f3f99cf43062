using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.TestingHost;
using Silo.Client;
using Silo.Cluster.Contracts;

namespace Silo.Cluster.Tests.Fixtures;

/// <summary>
/// A cluster in this process, of real silos that are set up as the hosts set theirs up: orchestrators know no inference
/// grain, inference hosts no other.
/// </summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;
    private readonly Dictionary<SiloAddress, SiloRole> _roles = [];
    private SiloRole? _next;

    private TestCluster(TestWorld world)
    {
        World = world;
        var builder = new InProcessTestClusterBuilder((short)(world.Orchestrators + world.InferenceSilos));
        builder.Options.AssumeHomogenousSilosForTesting = false;
        builder.Options.ConfigureFileLogging = false;
        // The test cluster asks its silos how they are, which tokens forbid.
        builder.Options.InitializeClientOnDeploy = world.Keys is null;
        builder.ConfigureSiloHost((options, host) => host.UseOrleans(silo => Configure(silo, _next ?? RoleOf(options.SiloName))));
        builder.ConfigureClient(client => client.AddActivityPropagation().Configure<ClientMessagingOptions>(o => o.MaxMessageBodySize = Limits.MaxMessageBytes));
        _cluster = builder.Build();
    }

    public TestWorld World { get; }

    public IClusterClient Orleans => _cluster.Client;

    public SiloClient Client => new(_cluster.Client);

    public IEnumerable<(InProcessSiloHandle Silo, SiloRole Role)> Silos => _cluster.Silos.Where(s => s.IsActive).Select(s => (s, _roles[s.SiloAddress]));

    public static async Task<TestCluster> StartAsync(TestWorld world)
    {
        var started = new TestCluster(world);
        await started._cluster.DeployAsync();
        if (world.Keys is not null) await started._cluster.InitializeClientAsync();
        foreach (var silo in started._cluster.Silos) started._roles[silo.SiloAddress] = started.RoleOf(silo.Name);
        return started;
    }

    public async Task<InProcessSiloHandle> AddAsync(SiloRole role)
    {
        _next = role;
        var silo = await _cluster.StartAdditionalSiloAsync();
        _roles[silo.SiloAddress] = role;
        _next = null;
        return silo;
    }

    public Task KillAsync(InProcessSiloHandle silo) => _cluster.KillSiloAsync(silo);

    public Task StopAsync(InProcessSiloHandle silo) => _cluster.StopSiloAsync(silo);

    public Task DeactivateAsync(IAddressable grain) => _cluster.DeactivateAsync(grain);

    /// <summary>Loses the client without a word to anyone, and connects another.</summary>
    public async Task ReconnectAsync()
    {
        await _cluster.KillClientAsync();
        await _cluster.InitializeClientAsync();
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private SiloRole RoleOf(string name) =>
        int.Parse(name.AsSpan(name.LastIndexOf('_') + 1)) < World.Orchestrators ? SiloRole.Orchestrator : SiloRole.Inference;

    private void Configure(ISiloBuilder silo, SiloRole role)
    {
        TestSilo.Configure(silo, role, World);
        TestSilo.AddMemory(silo, World);
    }
}
