using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;
using Orleans.TestingHost;
using Silo.Client;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Inference;
using Silo.Cluster.Grains;
using Silo.Cluster.Hosting;
using Silo.Cluster.Inference;
using Silo.Experiments.Generation;

namespace Silo.Cluster.Tests.Fixtures;

internal enum SiloRole
{
    Orchestrator,
    Inference,
}

/// <summary>What survives the silos of a cluster, and what it is made of.</summary>
internal sealed record TestWorld
{
    public TestStore Store { get; init; } = new();

    public TestReminders Reminders { get; init; } = new();

    public Func<IGenerationEngine> Engine { get; init; } = () => new TestEngine();

    public string Model { get; init; } = InferenceKeys.EmbeddedModel;

    public IReadOnlyList<byte[]>? Keys { get; init; }

    public int Orchestrators { get; init; } = 1;

    public int InferenceSilos { get; init; } = 2;

    public TimeSpan RemindEvery { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan ShardGathers { get; init; } = TimeSpan.FromMilliseconds(20);
}

/// <summary>
/// A cluster in this process, of real silos that are set up as the hosts set theirs up: orchestrators know no inference
/// grain, inference hosts no other.
/// </summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster cluster;
    private readonly Dictionary<SiloAddress, SiloRole> roles = [];
    private SiloRole? next;

    private TestCluster(TestWorld world)
    {
        World = world;
        var builder = new InProcessTestClusterBuilder((short)(world.Orchestrators + world.InferenceSilos));
        builder.Options.AssumeHomogenousSilosForTesting = false;
        builder.Options.ConfigureFileLogging = false;
        // The test cluster asks its silos how they are, which tokens forbid.
        builder.Options.InitializeClientOnDeploy = world.Keys is null;
        builder.ConfigureSiloHost((options, host) => host.UseOrleans(silo => Configure(silo, next ?? RoleOf(options.SiloName))));
        builder.ConfigureClient(client => client.AddActivityPropagation().Configure<ClientMessagingOptions>(o => o.MaxMessageBodySize = Limits.MaxMessageBytes));
        cluster = builder.Build();
    }

    public TestWorld World { get; }

    public IClusterClient Orleans => cluster.Client;

    public SiloClient Client => new(cluster.Client);

    public IEnumerable<(InProcessSiloHandle Silo, SiloRole Role)> Silos => cluster.Silos.Where(s => s.IsActive).Select(s => (s, roles[s.SiloAddress]));

    public static async Task<TestCluster> StartAsync(TestWorld world)
    {
        var started = new TestCluster(world);
        await started.cluster.DeployAsync();
        if (world.Keys is not null) await started.cluster.InitializeClientAsync();
        foreach (var silo in started.cluster.Silos) started.roles[silo.SiloAddress] = started.RoleOf(silo.Name);
        return started;
    }

    public async Task<InProcessSiloHandle> AddAsync(SiloRole role)
    {
        next = role;
        var silo = await cluster.StartAdditionalSiloAsync();
        roles[silo.SiloAddress] = role;
        next = null;
        return silo;
    }

    public Task KillAsync(InProcessSiloHandle silo) => cluster.KillSiloAsync(silo);

    public Task StopAsync(InProcessSiloHandle silo) => cluster.StopSiloAsync(silo);

    public Task DeactivateAsync(IAddressable grain) => cluster.DeactivateAsync(grain);

    /// <summary>Loses the client without a word to anyone, and connects another.</summary>
    public async Task ReconnectAsync()
    {
        await cluster.KillClientAsync();
        await cluster.InitializeClientAsync();
    }

    public ValueTask DisposeAsync() => cluster.DisposeAsync();

    private SiloRole RoleOf(string name) =>
        int.Parse(name.AsSpan(name.LastIndexOf('_') + 1)) < World.Orchestrators ? SiloRole.Orchestrator : SiloRole.Inference;

    private void Configure(ISiloBuilder silo, SiloRole role)
    {
        Dictionary<string, string> metadata = [];
        if (role == SiloRole.Inference)
        {
            var engine = new EngineHost(World.Engine(), World.Model, "cpu");
            metadata = engine.Metadata;
            silo.Services.AddSingleton(engine);
        }
        else
        {
            silo.Services.AddSiloGrains();
        }
        silo.AddSiloCluster(metadata, role == SiloRole.Inference ? GrainServices.IsGrain : type => type.Assembly == typeof(EngineHost).Assembly);
        // SILO_TEST_LOG=Warning shows what the silos have to say.
        if (Enum.TryParse<LogLevel>(Environment.GetEnvironmentVariable("SILO_TEST_LOG"), out var level))
            silo.Services.AddLogging(logging => logging.SetMinimumLevel(level).AddSimpleConsole(o => (o.SingleLine, o.TimestampFormat) = (true, "HH:mm:ss.fff ")));
        if (World.Keys is { } keys) silo.AddSiloTokens(keys);
        foreach (var name in (string[])[StoreNames.Main, StoreNames.Traces])
            silo.Services.AddGrainStorage(name, (_, _) => World.Store);
        silo.AddReminders();
        silo.Services.AddSingleton<IReminderTable>(World.Reminders);
        silo.Configure<ReminderOptions>(o => o.MinimumReminderPeriod = TimeSpan.FromMilliseconds(100));
        silo.Configure<CampaignTiming>(o => (o.RemindEvery, o.ShardGathers) = (World.RemindEvery, World.ShardGathers));
        // A silo that was killed is missed after seconds.
        silo.Configure<ClusterMembershipOptions>(o =>
        {
            o.ProbeTimeout = TimeSpan.FromSeconds(2);
            o.NumMissedProbesLimit = 2;
            o.TableRefreshTimeout = TimeSpan.FromSeconds(2);
            o.NumVotesForDeathDeclaration = 1;
        });
    }
}
