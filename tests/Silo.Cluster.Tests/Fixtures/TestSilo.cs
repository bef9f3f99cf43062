using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;
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
    Gateway,
}

/// <summary>What survives the silos of a cluster, and what it is made of.</summary>
internal sealed record TestWorld
{
    public TestStore Store { get; init; } = new();

    public TestReminders Reminders { get; init; } = new();

    public WireFaults? Wire { get; init; }

    public Func<IGenerationEngine> Engine { get; init; } = () => new ToyEngine();

    public string Model { get; init; } = InferenceKeys.EmbeddedModel;

    public IReadOnlyList<byte[]>? Keys { get; init; }

    public int Orchestrators { get; init; } = 1;

    public int InferenceSilos { get; init; } = 2;

    public TimeSpan RemindEvery { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan ShardGathers { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Comes before each call of a grain; may wait or throw.</summary>
    public Func<IIncomingGrainCallContext, Task>? BeforeCalls { get; init; }

    /// <summary>Sees the timing of each silo, which holds what is set there later, too.</summary>
    public Action<CampaignTiming>? Timing { get; init; }
}

/// <summary>A silo of a test cluster, set up as the hosts set theirs up: orchestrators know no inference grain, inference hosts no other, gateways none.</summary>
internal static class TestSilo
{
    public static void Configure(ISiloBuilder silo, SiloRole role, TestWorld world)
    {
        Dictionary<string, string> metadata = [];
        if (role == SiloRole.Inference)
        {
            var engine = new EngineHost(world.Engine(), world.Model, "cpu");
            metadata = engine.Metadata;
            silo.Services.AddSingleton(engine);
        }
        else
        {
            silo.Services.AddSiloGrains();
        }
        silo.AddSiloCluster(metadata, type =>
            (role != SiloRole.Inference && type.Assembly == typeof(EngineHost).Assembly) || (role != SiloRole.Orchestrator && GrainServices.IsGrain(type)));
        // SILO_TEST_LOG=Warning shows what the silos have to say.
        if (Enum.TryParse<LogLevel>(Environment.GetEnvironmentVariable("SILO_TEST_LOG"), out var level))
            silo.Services.AddLogging(logging => logging.SetMinimumLevel(level).AddSimpleConsole(o => (o.SingleLine, o.TimestampFormat) = (true, "HH:mm:ss.fff ")));
        if (world.Keys is { } keys) silo.AddSiloTokens(keys);
        if (world.Wire is { } wire) silo.AddIncomingGrainCallFilter(wire);
        if (world.BeforeCalls is { } before)
            silo.AddIncomingGrainCallFilter(async context =>
            {
                await before(context);
                await context.Invoke();
            });
        silo.Configure<ReminderOptions>(o => o.MinimumReminderPeriod = TimeSpan.FromMilliseconds(100));
        silo.Configure<CampaignTiming>(o => (o.RemindEvery, o.ShardGathers) = (world.RemindEvery, world.ShardGathers));
        if (world.Timing is { } timing) silo.Configure(timing);
        // A silo that was killed is missed after seconds.
        silo.Configure<ClusterMembershipOptions>(o =>
        {
            o.ProbeTimeout = TimeSpan.FromSeconds(2);
            o.NumMissedProbesLimit = 2;
            o.TableRefreshTimeout = TimeSpan.FromSeconds(2);
            o.NumVotesForDeathDeclaration = 1;
        });
    }

    /// <summary>State and reminders in the world's memory.</summary>
    public static void AddMemory(ISiloBuilder silo, TestWorld world)
    {
        foreach (var name in (string[])[StoreNames.Main, StoreNames.Traces])
            silo.Services.AddGrainStorage(name, (_, _) => world.Store);
        silo.AddReminders();
        silo.Services.AddSingleton<IReminderTable>(world.Reminders);
    }
}
