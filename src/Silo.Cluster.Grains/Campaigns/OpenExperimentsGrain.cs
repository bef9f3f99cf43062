using System.Collections.Immutable;
using Microsoft.Extensions.Options;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Grains.State;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>Bounds the number of open experiments, and so the labels of every metric.</summary>
internal sealed class OpenExperimentsGrain : Grain, IOpenExperimentsGrain
{
    private readonly StateBox<OpenExperiments> _box;
    private readonly GroupCommit _commit;
    private readonly TimeProvider _time;
    private readonly CampaignTiming _timing;

    public OpenExperimentsGrain(
        [PersistentState("open-experiments", StoreNames.Main)] IPersistentState<PackedState> state, ClusterMetrics metrics, TimeProvider time, IOptions<CampaignTiming> timing)
    {
        _time = time;
        _timing = timing.Value;
        _box = new StateBox<OpenExperiments>(state, CampaignJson.Default.OpenExperiments, "open_experiments", Limits.MaxStateBytes, metrics);
        _commit = new GroupCommit(() => _box.WriteAsync(), DeactivateOnIdle);
    }

    private OpenExperiments Value => _box.Value ?? new OpenExperiments(ImmutableSortedSet.Create<string>(StringComparer.Ordinal));

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _box.Load();
        return Task.CompletedTask;
    }

    public async Task<bool> Open(string experiment)
    {
        if (!Value.Ids.Contains(experiment))
        {
            if (Value.Ids.Count >= Limits.MaxOpenExperiments) await PruneAsync();
            if (Value.Ids.Count >= Limits.MaxOpenExperiments) return false;
        }
        await WriteAsync(Value.With(experiment, _time.GetUtcNow()));
        return true;
    }

    public async Task Close(string experiment)
    {
        if (Value.Ids.Contains(experiment)) await WriteAsync(Value.Without(experiment));
    }

    public Task<IReadOnlyList<string>> List() => Task.FromResult<IReadOnlyList<string>>([.. Value.Ids]);

    // A submission that a crash cut short has opened what never came to be, and one that is not gone on with may never start:
    // their places are free again. Who starts after all asks for a place anew.
    private async Task PruneAsync()
    {
        foreach (var id in Value.Ids)
        {
            var status = (await GrainFactory.GetGrain<IExperimentGrain>(id).Status())?.Status;
            if (status is null or "finished" or "cancelled" || (status == "new" && _time.GetUtcNow() - Value.SinceOf(id) > _timing.StartWithin))
                await WriteAsync(Value.Without(id));
        }
    }

    private Task WriteAsync(OpenExperiments open)
    {
        _box.Value = open;
        return _commit.CommitAsync();
    }
}

/// <summary>What is stored of it.</summary>
internal sealed record OpenExperiments(ImmutableSortedSet<string> Ids)
{
    /// <summary>When each last asked for its place; those of earlier versions have not said.</summary>
    public ImmutableSortedDictionary<string, DateTimeOffset>? Since { get; init; }

    public DateTimeOffset SinceOf(string id) => Since?.GetValueOrDefault(id) ?? default;

    public OpenExperiments With(string id, DateTimeOffset now) => new(Ids.Add(id)) { Since = (Since ?? ImmutableSortedDictionary.Create<string, DateTimeOffset>(StringComparer.Ordinal)).SetItem(id, now) };

    public OpenExperiments Without(string id) => new(Ids.Remove(id)) { Since = Since?.Remove(id) };
}
