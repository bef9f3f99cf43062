using System.Diagnostics;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Grains.Campaigns;
using Silo.Core;
using Silo.Experiments.Board;

namespace Silo.Cluster.Grains.Correlations;

/// <summary>
/// Merges an experiment's shards when it is asked, and shows the declared short list to operators. Keeps nothing: the
/// shards are the truth, and merging them in any order gives the same bits.
/// </summary>
[Reentrant]
internal sealed class CorrelationGrain(ContextCache contexts, RhoGauges gauges, IOptions<CampaignTiming> timing) : Grain, ICorrelationGrain
{
    private const int ShardsAtOnce = 16;

    /// <summary>Gauges are renewed so seldom that it takes no more than one part in so many of the time.</summary>
    private const int ShareOfTime = 20;

    private IGrainTimer? _showing;
    private TimeSpan _took;
    private Task<RunningBoard> _merging = Task.FromResult<RunningBoard>(null!);
    private Task<RunningBoard>? _next;

    private string Experiment => this.GetPrimaryKeyString();

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        gauges.Forget(Experiment);
        return Task.CompletedTask;
    }

    public async Task<RunningBoard?> Board()
    {
        ExperimentContext context;
        try
        {
            context = await contexts.GetAsync(Experiment);
        }
        catch (SiloException)
        {
            return null;
        }
        // Whoever asks while a merge is under way gets the next one, which all of them share: it holds whatever was counted before they asked.
        return await (_next ?? (_merging.IsCompleted ? _merging = ShowAsync(context) : _next = AfterAsync(_merging, context)));
    }

    public Task Touch()
    {
        _showing ??= this.RegisterGrainTimer(async _ =>
        {
            _showing?.Dispose();
            _showing = null;
            await Board();
        }, new GrainTimerCreationOptions(_took * ShareOfTime > timing.Value.GaugesLag ? _took * ShareOfTime : timing.Value.GaugesLag, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });
        return Task.CompletedTask;
    }

    private async Task<RunningBoard> AfterAsync(Task before, ExperimentContext context)
    {
        // How the merge before this one ended concerns those who await it.
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _merging = _next!;
        _next = null;
        return await ShowAsync(context);
    }

    private async Task<RunningBoard> ShowAsync(ExperimentContext context)
    {
        var start = Stopwatch.GetTimestamp();
        var board = RunningTable.Of(await MergeAsync(context));
        _took = Stopwatch.GetElapsedTime(start);
        gauges.Show(Experiment, board);
        return board;
    }

    private async Task<BoardSums> MergeAsync(ExperimentContext context)
    {
        var sums = new BoardSums(context.Design);
        foreach (var group in Enumerable.Range(0, context.Shared.Shards).Chunk(ShardsAtOnce))
        {
            var packed = await Task.WhenAll(group.Select(s => GrainFactory.GetGrain<ICorrelationShardGrain>(Keys.Part(Experiment, s)).Sums()));
            foreach (var shard in packed) sums.Merge(BoardSums.Unpack(context.Design, shard));
        }
        return sums;
    }
}
