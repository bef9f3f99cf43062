using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Grains.Campaigns;
using Silo.Cluster.Grains.State;
using Silo.Experiments.Board;
using Silo.Experiments.Ranking;
using PromptTexts = Silo.Experiments.Board.PromptTexts;

namespace Silo.Cluster.Grains.Correlations;

/// <summary>
/// Adds and takes away prompts' rows. Exact sums make taking away the exact inverse of adding, so the sums always equal
/// their recomputation from all prompts. Many updates become one write.
/// </summary>
[Reentrant]
internal sealed partial class CorrelationShardGrain : Grain, ICorrelationShardGrain
{
    private readonly StateBox<ShardRecord> _box;
    private readonly GroupCommit _commit;
    private readonly ContextCache _contexts;
    private readonly CampaignTiming _timing;
    private readonly ILogger _logger;
    private Dictionary<string, Counted> _counted = new(StringComparer.Ordinal);
    private ExperimentContext? _context;
    private BoardDesign? _design;
    private BoardSums? _sums;

    public CorrelationShardGrain(
        [PersistentState("correlation-shard", StoreNames.Traces)] IPersistentState<PackedState> state,
        ContextCache contexts, ClusterMetrics metrics, TimeProvider time, IOptions<CampaignTiming> timing, ILogger<CorrelationShardGrain> logger)
    {
        _box = new StateBox<ShardRecord>(state, ShardJson.Default.ShardRecord, "correlation_shard", Limits.MaxTraceBytes, metrics, ShardRecord.Form);
        _commit = new GroupCommit(StoreAsync, DeactivateOnIdle, () => Gathers, time);
        _contexts = contexts;
        _timing = timing.Value;
        _logger = logger;
    }

    private string Experiment => Keys.ExperimentOf(this.GetPrimaryKeyString());

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _box.Load();
        if (_box.Value is { } stored) _counted = stored.Counted;
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _commit.CloseAsync();

    public async Task<ShardReply> Update(ShardUpdate update)
    {
        await LearnAsync();
        var known = _counted.GetValueOrDefault(update.Prompt);
        if (known == update.To)
        {
            // Counted, but perhaps not stored yet.
            await _commit.PendingAsync();
            return new ShardReply(known);
        }
        // An activation of the prompt that is over may still tell what it knew: ranks that it does not know it cannot take away.
        if (known != update.From || update.Ranks.Count < Math.Max(known.Ranks, update.To.Ranks)) return new ShardReply(known);
        if (update.Texts.Count == 0 && (update.From.Texts || update.To.Texts))
            throw new ArgumentException($"prompt '{update.Prompt}' is to be counted with its texts, and has none", nameof(update));
        var texts = update.Texts.Count == 0 ? null : new PromptTexts(_design!, [.. update.Texts.Select(_context!.TextOf)]);
        Count(update, update.From, texts, add: false);
        Count(update, update.To, texts, add: true);
        _counted[update.Prompt] = update.To;
        await _commit.CommitAsync();
        return new ShardReply(update.To);
    }

    public async Task<byte[]> Sums()
    {
        await LearnAsync();
        return _sums!.Pack();
    }

    private TimeSpan Gathers
    {
        get
        {
            var share = TimeSpan.FromSeconds((double)(_context?.Shared.Shards ?? 1) / _timing.ShardWritesPerSecond);
            return share > _timing.ShardGathers ? share : _timing.ShardGathers;
        }
    }

    private async Task LearnAsync()
    {
        if (_sums is not null) return;
        var learned = await _contexts.GetAsync(Experiment);
        if (_sums is not null) return;
        (_context, _design) = (learned, learned.Design);
        _sums = _box.Stored is { } stored ? BoardSums.Unpack(_design, stored.Sums) : new BoardSums(_design);
    }

    private void Count(ShardUpdate update, Counted how, PromptTexts? texts, bool add)
    {
        if (!how.Texts || texts is null) return;
        var ranks = new PromptRanks();
        foreach (var rank in update.Ranks.Take(how.Ranks)) ranks.Apply(RankBook.ToEvent(update.Prompt, rank));
        // Golds of single raters would grow with the number of raters; they are to be had from an export.
        var rows = Golds.Of(ranks.Rows(texts.Items)).Where(g => g.Name.Kind != GoldKind.Rater).Select(g => GoldRow.Compute(_design!, texts, g));
        if (add) _sums!.AddPrompt(texts);
        else _sums!.RemovePrompt(texts);
        foreach (var row in rows)
            if (add) _sums.Add(row);
            else _sums.Remove(row);
    }

    private async Task StoreAsync()
    {
        _box.Value = new ShardRecord { Sums = _sums!.Pack(), Counted = _counted };
        await _box.WriteAsync();
        _ = TouchAsync();
    }

    private async Task TouchAsync()
    {
        try
        {
            await GrainFactory.GetGrain<ICorrelationGrain>(Experiment).Touch();
        }
        catch (Exception e)
        {
            // Gauges lag until the next change.
            LogNotTouched(Experiment, e.Message);
        }
    }

    [LoggerMessage(LogLevel.Information, "The gauges of {Experiment} were not renewed: {Reason}")]
    private partial void LogNotTouched(string experiment, string reason);
}
