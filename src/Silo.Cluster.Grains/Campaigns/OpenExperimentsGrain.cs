using System.Collections.Immutable;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Grains.State;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>Bounds the number of open experiments, and so the labels of every metric.</summary>
internal sealed class OpenExperimentsGrain : Grain, IOpenExperimentsGrain
{
    private readonly StateBox<OpenExperiments> _box;
    private readonly GroupCommit _commit;

    public OpenExperimentsGrain([PersistentState("open-experiments", StoreNames.Main)] IPersistentState<PackedState> state, ClusterMetrics metrics)
    {
        _box = new StateBox<OpenExperiments>(state, CampaignJson.Default.OpenExperiments, "open_experiments", Limits.MaxStateBytes, metrics);
        _commit = new GroupCommit(() => _box.WriteAsync(), DeactivateOnIdle);
    }

    private ImmutableSortedSet<string> Ids => _box.Value?.Ids ?? ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _box.Load();
        return Task.CompletedTask;
    }

    public async Task<bool> Open(string experiment)
    {
        if (Ids.Contains(experiment)) return true;
        if (Ids.Count >= Limits.MaxOpenExperiments) await PruneAsync();
        if (Ids.Count >= Limits.MaxOpenExperiments) return false;
        await WriteAsync(Ids.Add(experiment));
        return true;
    }

    public async Task Close(string experiment)
    {
        if (Ids.Contains(experiment)) await WriteAsync(Ids.Remove(experiment));
    }

    public Task<IReadOnlyList<string>> List() => Task.FromResult<IReadOnlyList<string>>([.. Ids]);

    // A submission that a crash cut short has opened what never came to be: such a place is free again.
    private async Task PruneAsync()
    {
        foreach (var id in Ids)
            if (await GrainFactory.GetGrain<IExperimentGrain>(id).Status() is null or { Status: "finished" or "cancelled" })
                await WriteAsync(Ids.Remove(id));
    }

    private Task WriteAsync(ImmutableSortedSet<string> ids)
    {
        _box.Value = new OpenExperiments(ids);
        return _commit.CommitAsync();
    }
}

/// <summary>What is stored of it.</summary>
internal sealed record OpenExperiments(ImmutableSortedSet<string> Ids);
