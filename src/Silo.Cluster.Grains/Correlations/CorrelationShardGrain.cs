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
    private readonly StateBox<ShardRecord> box;
    private readonly GroupCommit commit;
    private readonly ContextCache contexts;
    private readonly CampaignTiming timing;
    private readonly ILogger logger;
    private Dictionary<string, Counted> counted = new(StringComparer.Ordinal);
    private ExperimentContext? context;
    private BoardDesign? design;
    private BoardSums? sums;

    public CorrelationShardGrain(
        [PersistentState("correlation-shard", StoreNames.Traces)] IPersistentState<PackedState> state,
        ContextCache contexts, ClusterMetrics metrics, TimeProvider time, IOptions<CampaignTiming> timing, ILogger<CorrelationShardGrain> logger)
    {
        box = new StateBox<ShardRecord>(state, ShardJson.Default.ShardRecord, "correlation_shard", Limits.MaxTraceBytes, metrics, ShardRecord.Form);
        commit = new GroupCommit(StoreAsync, DeactivateOnIdle, () => Gathers, time);
        this.contexts = contexts;
        this.timing = timing.Value;
        this.logger = logger;
    }

    private string Experiment => Keys.ExperimentOf(this.GetPrimaryKeyString());

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        box.Load();
        if (box.Value is { } stored) counted = stored.Counted;
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => commit.CloseAsync();

    public async Task<ShardReply> Update(ShardUpdate update)
    {
        await LearnAsync();
        var known = counted.GetValueOrDefault(update.Prompt);
        if (known == update.To)
        {
            // Counted, but perhaps not stored yet.
            await commit.PendingAsync();
            return new ShardReply(known);
        }
        // An activation of the prompt that is over may still tell what it knew: ranks that it does not know it cannot take away.
        if (known != update.From || update.Ranks.Count < Math.Max(known.Ranks, update.To.Ranks)) return new ShardReply(known);
        if (update.Texts.Count == 0 && (update.From.Texts || update.To.Texts))
            throw new ArgumentException($"prompt '{update.Prompt}' is to be counted with its texts, and has none", nameof(update));
        var texts = update.Texts.Count == 0 ? null : new PromptTexts(design!, [.. update.Texts.Select(context!.TextOf)]);
        Count(update, update.From, texts, add: false);
        Count(update, update.To, texts, add: true);
        counted[update.Prompt] = update.To;
        await commit.CommitAsync();
        return new ShardReply(update.To);
    }

    public async Task<byte[]> Sums()
    {
        await LearnAsync();
        return sums!.Pack();
    }

    private TimeSpan Gathers
    {
        get
        {
            var share = TimeSpan.FromSeconds((double)(context?.Shared.Shards ?? 1) / timing.ShardWritesPerSecond);
            return share > timing.ShardGathers ? share : timing.ShardGathers;
        }
    }

    private async Task LearnAsync()
    {
        if (sums is not null) return;
        var learned = await contexts.GetAsync(Experiment);
        if (sums is not null) return;
        (context, design) = (learned, learned.Design);
        sums = box.Stored is { } stored ? BoardSums.Unpack(design, stored.Sums) : new BoardSums(design);
    }

    private void Count(ShardUpdate update, Counted how, PromptTexts? texts, bool add)
    {
        if (!how.Texts || texts is null) return;
        var ranks = new PromptRanks();
        foreach (var rank in update.Ranks.Take(how.Ranks)) ranks.Apply(RankBook.ToEvent(update.Prompt, rank));
        // Golds of single raters would grow with the number of raters; they are to be had from an export.
        var rows = Golds.Of(ranks.Rows(texts.Items)).Where(g => g.Name.Kind != GoldKind.Rater).Select(g => GoldRow.Compute(design!, texts, g));
        if (add) sums!.AddPrompt(texts);
        else sums!.RemovePrompt(texts);
        foreach (var row in rows)
            if (add) sums.Add(row);
            else sums.Remove(row);
    }

    private async Task StoreAsync()
    {
        box.Value = new ShardRecord { Sums = sums!.Pack(), Counted = counted };
        await box.WriteAsync();
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
