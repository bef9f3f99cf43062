using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Contracts.Inference;
using Silo.Cluster.Grains.Correlations;
using Silo.Cluster.Grains.State;
using Silo.Core;
using Silo.Experiments.Campaign;
using Silo.Experiments.Plan;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>
/// Drives <see cref="PromptRun"/> for one prompt: stores what it says is to be kept, asks inference grains, and tells of
/// its end: first the correlation shard, then the page, so that whatever the campaign counts is on the board.
/// </summary>
/// <remarks>
/// Texts are stored before the state that counts them, so that a crash between the two finds them again (the first
/// stored result stands); where texts are discarded, the state comes first, which remembers whose texts count no more.
/// </remarks>
[Reentrant]
internal sealed partial class PromptGrain : Grain, IPromptGrain, IDisposable
{
    private const string NoEngine = "no inference host has the model";
    private const int AsksBeforeEngineIsGone = 40;
    // An ask that takes as long costs an attempt; the call itself may take some minutes more, and then would not.
    private static readonly PromptRunOptions Patience = new() { AskTimeout = 3_300_000, LongestDelay = 15_000 };

    private readonly StateBox<PromptRecord> box;
    private readonly StateBox<PromptTextsRecord> texts;
    private readonly GroupCommit commit;
    private readonly ContextCache contexts;
    private readonly ClusterMetrics metrics;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Dictionary<int, TextMessage> arrived = [];
    private readonly Queue<PromptCommand.Ask> asks = [];
    private ExperimentContext? context;
    private RankBook? book;
    private string? text;
    private bool isResumed, isChanged, isDiscarding, areTextsChanged, isEndDue;
    private IGrainTimer? alarm;
    private CancellationTokenSource asking = new();
    private int asksWithoutEngine;
    private Counted counted;
    private Task counting = Task.CompletedTask;
    private Task tellingEnd = Task.CompletedTask;

    public PromptGrain(
        [PersistentState("prompt", StoreNames.Main)] IPersistentState<PackedState> state,
        [PersistentState("prompt-texts", StoreNames.Traces)] IPersistentState<PackedState> textState,
        ContextCache contexts, ClusterMetrics metrics, TimeProvider time, ILogger<PromptGrain> logger)
    {
        box = new StateBox<PromptRecord>(state, PromptJson.Default.PromptRecord, "prompt", Limits.MaxStateBytes, metrics);
        texts = new StateBox<PromptTextsRecord>(textState, PromptJson.Default.PromptTextsRecord, "prompt_texts", Limits.MaxTraceBytes, metrics, PromptForms.Texts);
        commit = new GroupCommit(StoreAsync, DeactivateOnIdle);
        this.contexts = contexts;
        this.metrics = metrics;
        this.time = time;
        this.logger = logger;
    }

    private string Key => this.GetPrimaryKeyString();

    private string Experiment => Keys.ExperimentOf(Key);

    private string PromptId => Keys.PromptIdOf(Key);

    private PromptRecord Record => box.Value ??= new PromptRecord();

    private PromptRecord Stored => box.Stored ?? new PromptRecord();

    private ExperimentPlan Plan => context!.PlanOf(PromptId, text ?? "");

    // Stored deadlines outlive the machine, so this is the time of day.
    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        box.Load();
        texts.Load();
        counted = Record.Counted;
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await asking.CancelAsync();
        await commit.CloseAsync();
    }

    public void Dispose() => asking.Dispose();

    public async Task Tell(PromptOrder order, string text)
    {
        await LearnAsync();
        if (Record.Number >= 0 && Record.Number != order.Prompt)
            throw new SiloException($"prompt '{PromptId}' is number {Record.Number} of its experiment, not {order.Prompt}");
        this.text = text;
        if (Record.Run is null) box.Value = Record with { Number = order.Prompt, Run = PromptRunState.Create(Plan.Rows) };
        if (!isResumed)
        {
            // What an activation before this one asked for was lost with it; what it stored was not.
            isResumed = true;
            Adopt();
            Take(new PromptEvent.Recover());
        }
        Take(order.Kind switch
        {
            PromptOrderKind.Begin => new PromptEvent.Begin(),
            PromptOrderKind.Pause => new PromptEvent.Pause(),
            PromptOrderKind.Continue => new PromptEvent.Continue(),
            _ => new PromptEvent.Cancel(),
        });
        await SettleAsync();
    }

    public async Task<RankReply> Rank(IReadOnlyList<RankMessage> ranks)
    {
        if (await RefusalAsync(ranks) is { } reason)
        {
            metrics.CallRefused("ranks");
            return Refused(reason);
        }
        var reply = book!.Take(ranks);
        try
        {
            if (reply.Repeated < ranks.Count)
            {
                box.Value = Record with { Ranks = [.. book.Events] };
                await commit.CommitAsync();
            }
            // What is known already may still be on its way into the store: an answer always says that it is there.
            else await commit.PendingAsync();
        }
        catch (StateTooLargeException e)
        {
            return Refused(e.Message);
        }
        metrics.Ranks("new", reply.New);
        metrics.Ranks("corrected", reply.Corrected);
        metrics.Ranks("withdrawn", reply.Withdrawn);
        metrics.Ranks("repeated", reply.Repeated);
        await CountAsync();
        return reply;
    }

    public Task<IReadOnlyList<RankMessage>> Ranks() => Task.FromResult(Stored.Ranks);

    public async Task<PromptTexts> Texts(bool traces)
    {
        await LearnAsync();
        if (Record.Number < 0 && await context!.Prompts.RefusalAsync(PromptId) is { } reason) throw new SiloException(reason);
        return new PromptTexts
        {
            Texts = [.. Kept().Select(t => traces ? t : t with { Trace = [] })],
            Failures = Stored.Run is not { } run ? [] :
                [.. run.Rows.Index().Where(r => r.Item.Status == RowStatus.Failed).Select(r => new FailureMessage(r.Index, r.Item.Attempts, r.Item.Reason ?? ""))],
        };
    }

    /// <exception cref="SiloException">There is no such experiment, or no such prompt could be in it.</exception>
    private async Task LearnAsync()
    {
        if (context is not null) return;
        // Another spelling of the key would be another grain.
        if (Keys.Prompt(Experiment, PromptId) != Key) throw new SiloException($"'{Key}' is no key of a prompt");
        var learned = await contexts.GetAsync(Experiment);
        if (context is not null) return;
        context = learned;
        var plan = Plan;
        book = new RankBook(PromptId, Enumerable.Range(0, plan.Rows).Select(row => plan.Key(0, row).Item).ToHashSet(StringComparer.Ordinal), Record.Ranks);
    }

    private static RankReply Refused(string reason) => new() { New = 0, Corrected = 0, Withdrawn = 0, Repeated = 0, Refused = reason };

    private async Task<string?> RefusalAsync(IReadOnlyList<RankMessage> ranks)
    {
        if (ranks is null) return "no ranks";
        try
        {
            await LearnAsync();
        }
        catch (SiloException e)
        {
            return e.Message;
        }
        if (book!.Refusal(ranks) is { } reason) return reason;
        // A prompt that was begun is the campaign's; any other may be nobody's.
        return Record.Number >= 0 ? null : await context!.Prompts.RefusalAsync(PromptId);
    }

    // The stored texts that the stored state counts.
    private IEnumerable<TextMessage> Kept() =>
        (texts.Stored?.Texts ?? []).Where(t => Stored.Run?.Rows[t.Row].Status == RowStatus.Kept).OrderBy(t => t.Row);

    // Texts that were stored when their state was not: they came first, so they stand.
    private void Adopt()
    {
        foreach (var stored in texts.Value?.Texts ?? [])
            if (Record.Run!.Rows[stored.Row].Status == RowStatus.Open)
            {
                arrived[stored.Row] = stored;
                Take(new PromptEvent.Answer(stored.Row, stored.Engine));
            }
        arrived.Clear();
    }

    private void Take(PromptEvent happened)
    {
        var before = Record.Run!;
        var (state, commands) = PromptRun.On(before, happened, Now, Patience);
        box.Value = Record with { Run = state };
        isChanged |= state.Status != before.Status && state.Status != PromptRunStatus.Running;
        foreach (var command in commands)
            switch (command)
            {
                case PromptCommand.Keep keep: Keep(arrived[keep.Row]); break;
                case PromptCommand.Drop drop: metrics.Retry(drop.Cause.ToString().ToLowerInvariant()); break;
                case PromptCommand.Discard: Discard(); break;
                case PromptCommand.Fail fail: Fail(fail); break;
                case PromptCommand.Ask ask: asks.Enqueue(ask); break;
                case PromptCommand.CancelAsk: CancelAsk(); break;
                case PromptCommand.WakeAt wake: WakeAt(wake.Time); break;
                case PromptCommand.Finish: isEndDue = true; break;
                default: throw new InvalidOperationException($"unknown command {command}");
            }
    }

    private void Keep(TextMessage kept)
    {
        isChanged = true;
        var known = texts.Value?.Texts ?? [];
        if (known.Contains(kept)) return;
        texts.Value = new PromptTextsRecord { Texts = [.. known.Where(t => t.Row != kept.Row && Record.Run!.Rows[t.Row].Status == RowStatus.Kept), kept] };
        areTextsChanged = true;
        metrics.Generations("done", 1);
        metrics.Tokens(kept.Tokens.Length);
    }

    private void Discard()
    {
        isChanged = isDiscarding = areTextsChanged = true;
        texts.Value = new PromptTextsRecord();
    }

    private void Fail(PromptCommand.Fail fail)
    {
        isChanged = true;
        if (!fail.Final)
        {
            metrics.Retry("failed");
            return;
        }
        metrics.Failures("given_up", 1);
        metrics.Generations("failed", 1);
    }

    // What must survive is stored before anything follows from it; that something was asked for need not survive.
    private Task SettleAsync()
    {
        if (isChanged) return commit.CommitAsync();
        Carry();
        return Task.CompletedTask;
    }

    private async Task StoreAsync()
    {
        var (record, discarding) = (Record, isDiscarding);
        isChanged = isDiscarding = false;
        if (discarding) await box.WriteAsync(record);
        if (areTextsChanged)
        {
            areTextsChanged = false;
            await texts.WriteAsync();
        }
        if (!discarding) await box.WriteAsync(record);
        Carry();
    }

    private void Carry()
    {
        if (isChanged) return;
        while (asks.TryDequeue(out var ask)) _ = AskAsync(ask);
        if (!isEndDue || !tellingEnd.IsCompleted || Stored.Run is not { Status: PromptRunStatus.Finished or PromptRunStatus.Cancelled }) return;
        isEndDue = false;
        tellingEnd = TellEndAsync();
    }

    private async Task AskAsync(PromptCommand.Ask ask)
    {
        var cancellation = asking.Token;
        // Each ask is a trace of its own, linked to the submission: a campaign of days as one trace could be read by nobody.
        Activity.Current = null;
        using var activity = ClusterMetrics.StartLinked("ask", context!.Shared.Trace);
        activity?.SetTag("silo.prompt", Key);
        try
        {
            metrics.Generations("asked", ask.Rows.Length);
            // The answer comes to this activation: it must not be collected as idle.
            DelayDeactivation(TimeSpan.FromMilliseconds(Patience.AskTimeout!.Value));
            var start = time.GetTimestamp();
            var reply = await AskGrainAsync(ask, cancellation);
            if (cancellation.IsCancellationRequested) return;
            DelayDeactivation(TimeSpan.Zero);
            if (reply.Outcome == GenerateOutcome.Done) metrics.Generated(time.GetElapsedTime(start));
            Answered(ask, reply);
            await SettleAsync();
        }
        catch (Exception e)
        {
            // Storage failed or the state is another activation's: begin again from what is stored, when next told.
            LogLost(Key, e.Message);
            DeactivateOnIdle();
        }
    }

    private async Task<GenerateReply> AskGrainAsync(PromptCommand.Ask ask, CancellationToken cancellation)
    {
        try
        {
            var grain = GrainFactory.To<IInferenceGrain>(InferenceKeys.Slot(context!.Shared, ask.Engine, PromptId, ask.Number));
            return await grain.Generate(
                new GenerateMessage { Spec = context.Shared.Spec, PromptId = PromptId, Prompt = text!, Rows = ask.Rows, Engine = ask.Engine }, cancellation);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or ArgumentException or OperationCanceledException)
        {
            // No candidate for the placement, a host that died, a lost answer: unknown outcome, and asking again is safe.
            LogAskLost(Key, ask.Number, e.Message);
            return new GenerateReply { Outcome = GenerateOutcome.Busy, Reason = NoEngine, Engine = "" };
        }
    }

    private void Answered(PromptCommand.Ask ask, GenerateReply reply)
    {
        // An engine that is busy is not gone.
        if (reply.Outcome != GenerateOutcome.OtherEngine && reply.Reason != NoEngine) asksWithoutEngine = 0;
        switch (reply.Outcome)
        {
            case GenerateOutcome.Done when reply.Texts.Sum(t => t.Bytes) + (texts.Value?.Texts.Sum(t => t.Bytes) ?? 0) is > Limits.MaxTextsBytes and var bytes:
                Take(new PromptEvent.AskFailed(ask.Number, $"with these the prompt's texts take {bytes} bytes: at most {Limits.MaxTextsBytes} are taken", Final: true));
                break;
            case GenerateOutcome.Done:
                Take(new PromptEvent.EngineBack(reply.Engine));
                foreach (var made in reply.Texts)
                {
                    if ((uint)made.Row >= (uint)Record.Run!.Rows.Length) continue;
                    arrived[made.Row] = made;
                    Take(new PromptEvent.Answer(made.Row, made.Engine));
                }
                arrived.Clear();
                Take(new PromptEvent.AskEnded(ask.Number));
                break;
            case GenerateOutcome.Busy:
                metrics.CapacityWait(reply.Reason == NoEngine ? "no_engine" : "busy");
                Take(new PromptEvent.EngineBusy(ask.Number));
                if (reply.Reason == NoEngine) GiveUpEngine(ask);
                else _ = TellBusyAsync();
                break;
            case GenerateOutcome.OtherEngine:
                metrics.CapacityWait("other_engine");
                Take(new PromptEvent.EngineBusy(ask.Number));
                GiveUpEngine(ask);
                break;
            default:
                Take(new PromptEvent.AskFailed(ask.Number, Shown(reply.Reason), reply.Outcome == GenerateOutcome.Refused));
                break;
        }
    }

    private static string Shown(string? reason) => reason switch
    {
        null => "no reason given",
        { Length: > Limits.MaxReasonLength } => $"{reason.AsSpan(0, Limits.MaxReasonLength)}...",
        _ => reason,
    };

    // The engine of the kept texts has not been seen for many asks: the prompt is made anew rather than never.
    private void GiveUpEngine(PromptCommand.Ask ask)
    {
        if (ask.Engine is not { } engine || ++asksWithoutEngine < AsksBeforeEngineIsGone) return;
        asksWithoutEngine = 0;
        Take(new PromptEvent.EngineGone(engine));
    }

    private void CancelAsk()
    {
        asking.Cancel();
        asking.Dispose();
        asking = new CancellationTokenSource();
        DelayDeactivation(TimeSpan.Zero);
    }

    private async Task TellBusyAsync()
    {
        try
        {
            await GrainFactory.To<IExperimentGrain>(Experiment).EnginesBusy();
        }
        catch (Exception e)
        {
            LogNotTold(Key, e.Message);
        }
    }

    private async Task TellEndAsync()
    {
        try
        {
            await CountAsync();
            await GrainFactory.To<IPromptPageGrain>(Keys.Part(Experiment, Stored.Number / Limits.PageSize)).PromptEnded(End());
            // Its texts need not stay in memory: who ranks or reads it later reads it from the store.
            DeactivateOnIdle();
        }
        catch (Exception e)
        {
            // The campaign's reminder tells this prompt to begin again, and it answers with its end.
            LogNotTold(Key, e.Message);
        }
    }

    private PromptEnd End()
    {
        var (run, kept, plan) = (Stored.Run!, Kept().ToDictionary(t => t.Row), Plan);
        return new PromptEnd
        {
            Prompt = Stored.Number,
            Kept = run.Kept,
            Failed = run.Failed,
            Tokens = kept.Values.Sum(t => (long)t.Tokens.Length),
            Digest = RunDigest.OfPrompt(Enumerable.Range(0, run.Rows.Length).Select(row => kept.TryGetValue(row, out var t)
                ? new RunDigest.Part(plan.Key(0, row), t.Tokens, t.FeatureHash)
                : new RunDigest.Part(plan.Key(0, row), ReadOnlyMemory<int>.Empty, null))),
            Engine = run.Engine,
        };
    }

    private void WakeAt(long at)
    {
        alarm?.Dispose();
        var due = TimeSpan.FromMilliseconds(Math.Max(1, at - Now));
        alarm = this.RegisterGrainTimer(_ =>
        {
            Take(new PromptEvent.Tick());
            return SettleAsync();
        }, new GrainTimerCreationOptions(due, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });
    }

    // What the shard should count: nothing before the texts are whole, for then they never change; and of the ranks only
    // those that are stored, for what it counts it must be able to take away again.
    private Counted Countable => Stored.Run is { Status: PromptRunStatus.Finished, Kept: > 0 } ? new(true, Stored.Ranks.Count) : default;

    private Task CountAsync() => counting.IsCompleted ? counting = TellShardAsync() : counting;

    private async Task TellShardAsync()
    {
        while (counted != Countable)
        {
            counted = await ShardLink.TellAsync(GrainFactory, Experiment, PromptId, context!, counted, Countable, [.. Kept()], Stored.Ranks);
            // Stored with the next change; if it never is, the shard says what it has counted.
            box.Value = Record with { Counted = counted };
        }
    }

    [LoggerMessage(LogLevel.Information, "Prompt {Prompt}: ask {Ask} was lost and is asked again: {Reason}")]
    private partial void LogAskLost(string prompt, int ask, string reason);

    [LoggerMessage(LogLevel.Warning, "Prompt {Prompt} lost its work and begins again from its state: {Reason}")]
    private partial void LogLost(string prompt, string reason);

    [LoggerMessage(LogLevel.Warning, "Prompt {Prompt} could not tell: {Reason}")]
    private partial void LogNotTold(string prompt, string reason);
}
