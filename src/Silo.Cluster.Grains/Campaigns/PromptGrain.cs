using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
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
internal sealed partial class PromptGrain : Grain, IPromptGrain, IRemindable, IDisposable
{
    private const string ReminderName = "uncounted";
    private const string NoEngine = "no inference host has the model";
    private const int AsksBeforeEngineIsGone = 40;
    // So many fit, whatever the names of raters.
    private const int FewRanks = 200;

    private readonly StateBox<PromptRecord> _box;
    private readonly StateBox<PromptTextsRecord> _texts;
    private readonly GroupCommit _commit;
    private readonly ContextCache _contexts;
    private readonly ClusterMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly CampaignTiming _timing;
    private readonly PromptRunOptions _patience;
    private readonly ILogger _logger;
    private readonly Dictionary<int, TextMessage> _arrived = [];
    private readonly Queue<PromptCommand.Ask> _asks = [];
    private ExperimentContext? _context;
    private RankBook? _book;
    private string? _text;
    private bool _isResumed, _isChanged, _isDiscarding, _areTextsChanged, _isEndDue;
    private IGrainTimer? _alarm;
    private CancellationTokenSource _asking = new();
    private int _asksWithoutEngine;
    private Counted _counted;
    private Task _counting = Task.CompletedTask;
    private Task _tellingEnd = Task.CompletedTask;
    private Task<IGrainReminder>? _reminder;
    private int _lateBatches;

    public PromptGrain(
        [PersistentState("prompt", StoreNames.Main)] IPersistentState<PackedState> state,
        [PersistentState("prompt-texts", StoreNames.Traces)] IPersistentState<PackedState> textState,
        ContextCache contexts, ClusterMetrics metrics, TimeProvider time, IOptions<CampaignTiming> timing, ILogger<PromptGrain> logger)
    {
        _box = new StateBox<PromptRecord>(state, PromptJson.Default.PromptRecord, "prompt", Limits.MaxStateBytes, metrics);
        _texts = new StateBox<PromptTextsRecord>(textState, PromptJson.Default.PromptTextsRecord, "prompt_texts", Limits.MaxTraceBytes, metrics, PromptForms.Texts);
        _commit = new GroupCommit(StoreAsync, DeactivateOnIdle);
        _contexts = contexts;
        _metrics = metrics;
        _time = time;
        _timing = timing.Value;
        _patience = new PromptRunOptions { AskTimeout = (long)_timing.AskTimeout.TotalMilliseconds, LongestDelay = 15_000 };
        _logger = logger;
    }

    private string Key => this.GetPrimaryKeyString();

    private string Experiment => Keys.ExperimentOf(Key);

    private string PromptId => Keys.PromptIdOf(Key);

    private PromptRecord Record => _box.Value ??= new PromptRecord();

    private PromptRecord Stored => _box.Stored ?? new PromptRecord();

    private ExperimentPlan Plan => _context!.PlanOf(PromptId, _text ?? "");

    // Stored deadlines outlive the machine, so this is the time of day.
    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _box.Load();
        _texts.Load();
        _counted = Record.Counted;
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _asking.CancelAsync();
        await _commit.CloseAsync();
    }

    public void Dispose() => _asking.Dispose();

    public async Task Tell(PromptOrder order, string text)
    {
        await LearnAsync();
        if (Record.Number >= 0 && Record.Number != order.Prompt)
            throw new SiloException($"prompt '{PromptId}' is number {Record.Number} of its experiment, not {order.Prompt}");
        _text = text;
        if (Record.Run is null) _box.Value = Record with { Number = order.Prompt, Run = PromptRunState.Create(Plan.Rows) };
        if (!_isResumed)
        {
            // What an activation before this one asked for was lost with it; what it stored was not.
            _isResumed = true;
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
            _metrics.CallRefused("ranks");
            return Refused(reason);
        }
        // Until the end of a prompt is told, whoever tells it counts all ranks that are stored by then; and of what is known nothing is stored.
        if (Record.Run is not { Status: PromptRunStatus.Finished, Kept: > 0 } || _book!.Knows(ranks)) return await TakeAsync(ranks);
        RankReply reply;
        _lateBatches++;
        try
        {
            await EnsureReminderAsync();
            reply = Refusal(ranks) is { } meanwhile ? Refused(meanwhile) : await TakeAsync(ranks);
        }
        finally
        {
            _lateBatches--;
        }
        _ = ForgetReminderAsync();
        return reply;
    }

    private async Task<RankReply> TakeAsync(IReadOnlyList<RankMessage> ranks)
    {
        var reply = _book!.Take(ranks);
        try
        {
            if (reply.Repeated < ranks.Count)
            {
                _box.Value = Record with { Ranks = [.. _book.Events] };
                await _commit.CommitAsync();
            }
            // What is known already may still be on its way into the store: an answer always says that it is there.
            else await _commit.PendingAsync();
        }
        catch (StateTooLargeException e)
        {
            return Refused(e.Message);
        }
        _metrics.Ranks("new", reply.New);
        _metrics.Ranks("corrected", reply.Corrected);
        _metrics.Ranks("withdrawn", reply.Withdrawn);
        _metrics.Ranks("repeated", reply.Repeated);
        await CountAsync();
        return reply;
    }

    /// <summary>
    /// A rank that is stored late has nobody to tell its shard of it if its silo dies in between, so the reminder comes first.
    /// </summary>
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        try
        {
            if (await this.GetReminder(ReminderName) is not { } due) return;
            await LearnAsync();
            await CountAsync();
            // That this write meets no conflict says that no other activation has stored a rank that this one does not know.
            _box.Value = Record with { Counted = _counted };
            await _commit.CommitAsync();
            _reminder = Task.FromResult(due);
            await ForgetReminderAsync();
        }
        catch (Exception e)
        {
            // The next tick finds an activation that has read what is stored.
            LogNotTold(Key, e.Message);
            DeactivateOnIdle();
        }
    }

    private async Task EnsureReminderAsync()
    {
        var mine = _reminder ??= this.RegisterOrUpdateReminder(ReminderName, _timing.RemindEvery, _timing.RemindEvery);
        try
        {
            await mine;
        }
        catch (Exception e)
        {
            if (_reminder == mine) _reminder = null;
            _metrics.StorageFailure("reminder", "write");
            throw new StateNotStoredException($"reminder: {e.GetType().Name}: {e.Message}");
        }
    }

    // Removed by its version: one that another activation has set since stays.
    private async Task ForgetReminderAsync()
    {
        try
        {
            // What a write that failed has stored all the same is counted by the next activation.
            await _commit.PendingAsync();
            if (_lateBatches > 0 || _counted != Countable || _reminder is not { } set) return;
            _reminder = null;
            await this.UnregisterReminder(await set);
        }
        catch (Exception e)
        {
            // It comes once more, and finds nothing to count.
            LogNotForgotten(Key, e.Message);
        }
    }

    public Task<IReadOnlyList<RankMessage>> Ranks() => Task.FromResult(Stored.Ranks);

    public async Task<PromptTexts> Texts(bool traces)
    {
        await LearnAsync();
        if (Record.Number < 0 && await _context!.Prompts.RefusalAsync(PromptId) is { } reason) throw new SiloException(reason);
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
        if (_context is not null) return;
        // Another spelling of the key would be another grain.
        if (Keys.Prompt(Experiment, PromptId) != Key) throw new SiloException($"'{Key}' is no key of a prompt");
        var learned = await _contexts.GetAsync(Experiment);
        if (_context is not null) return;
        _context = learned;
        var plan = Plan;
        _book = new RankBook(PromptId, Enumerable.Range(0, plan.Rows).Select(row => plan.Key(0, row).Item).ToHashSet(StringComparer.Ordinal), Record.Ranks);
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
        if (Refusal(ranks) is { } reason) return reason;
        // A prompt that was begun is the campaign's; any other may be nobody's.
        if (Record.Number < 0 && await _context!.Prompts.RefusalAsync(PromptId) is { } unknown) return unknown;
        string[] panels = [.. ranks.Select(r => r.Panel).OfType<string>().Distinct(StringComparer.Ordinal).Where(p => !_context!.Panels.ContainsKey(p))];
        if (panels.Length == 0) return null;
        if (await GrainFactory.To<IExperimentGrain>(Experiment).AdmitPanels(panels) is { } tooMany) return tooMany;
        foreach (var panel in panels) _context!.Panels[panel] = true;
        return null;
    }

    // Ranks that filled the state would leave no room for how the texts end, and the prompt would never come to its end.
    private string? Refusal(IReadOnlyList<RankMessage> ranks) => _book!.Refusal(ranks) is { } reason ? reason
        : _book.Events.Count + ranks.Count > FewRanks && _box.SizeOf(Record with { Ranks = _book.With(ranks) }) is > Limits.MaxRankedBytes and var bytes
            ? $"with these ranks the prompt's state takes {bytes} bytes, over the limit of {Limits.MaxRankedBytes}" : null;

    // The stored texts that the stored state counts.
    private IEnumerable<TextMessage> Kept() =>
        (_texts.Stored?.Texts ?? []).Where(t => Stored.Run?.Rows[t.Row].Status == RowStatus.Kept).OrderBy(t => t.Row);

    // Texts that were stored when their state was not: they came first, so they stand.
    private void Adopt()
    {
        foreach (var stored in _texts.Value?.Texts ?? [])
            if (Record.Run!.Rows[stored.Row].Status == RowStatus.Open)
            {
                _arrived[stored.Row] = stored;
                Take(new PromptEvent.Answer(stored.Row, stored.Engine));
            }
        _arrived.Clear();
    }

    private void Take(PromptEvent happened)
    {
        var before = Record.Run!;
        var (state, commands) = PromptRun.On(before, happened, Now, _patience);
        _box.Value = Record with { Run = state };
        _isChanged |= state.Status != before.Status && state.Status != PromptRunStatus.Running;
        foreach (var command in commands)
            switch (command)
            {
                case PromptCommand.Keep keep: Keep(_arrived[keep.Row]); break;
                case PromptCommand.Drop drop: _metrics.Retry(drop.Cause.ToString().ToLowerInvariant()); break;
                case PromptCommand.Discard: Discard(); break;
                case PromptCommand.Fail fail: Fail(fail); break;
                case PromptCommand.Ask ask: _asks.Enqueue(ask); break;
                case PromptCommand.CancelAsk: CancelAsk(); break;
                case PromptCommand.WakeAt wake: WakeAt(wake.Time); break;
                case PromptCommand.Finish: _isEndDue = true; break;
                default: throw new InvalidOperationException($"unknown command {command}");
            }
    }

    private void Keep(TextMessage kept)
    {
        _isChanged = true;
        var known = _texts.Value?.Texts ?? [];
        if (known.Contains(kept)) return;
        _texts.Value = new PromptTextsRecord { Texts = [.. known.Where(t => t.Row != kept.Row && Record.Run!.Rows[t.Row].Status == RowStatus.Kept), kept] };
        _areTextsChanged = true;
        _metrics.Generations("done", 1);
        _metrics.Tokens(kept.Tokens.Length);
    }

    private void Discard()
    {
        _isChanged = _isDiscarding = _areTextsChanged = true;
        _texts.Value = new PromptTextsRecord();
    }

    private void Fail(PromptCommand.Fail fail)
    {
        _isChanged = true;
        if (!fail.Final)
        {
            _metrics.Retry("failed");
            return;
        }
        _metrics.Failures("given_up", 1);
        _metrics.Generations("failed", 1);
    }

    // What must survive is stored before anything follows from it; that something was asked for need not survive.
    private Task SettleAsync()
    {
        if (_isChanged) return _commit.CommitAsync();
        Carry();
        return Task.CompletedTask;
    }

    private async Task StoreAsync()
    {
        var (record, discarding) = (Record, _isDiscarding);
        _isChanged = _isDiscarding = false;
        if (discarding) await _box.WriteAsync(record);
        if (_areTextsChanged)
        {
            _areTextsChanged = false;
            await _texts.WriteAsync();
        }
        if (!discarding) await _box.WriteAsync(record);
        Carry();
    }

    private void Carry()
    {
        if (_isChanged) return;
        while (_asks.TryDequeue(out var ask)) _ = AskAsync(ask);
        if (!_isEndDue || !_tellingEnd.IsCompleted || Stored.Run is not { Status: PromptRunStatus.Finished or PromptRunStatus.Cancelled }) return;
        _isEndDue = false;
        _tellingEnd = TellEndAsync();
    }

    private async Task AskAsync(PromptCommand.Ask ask)
    {
        var cancellation = _asking.Token;
        // Each ask is a trace of its own, linked to the submission: a campaign of days as one trace could be read by nobody.
        Activity.Current = null;
        using var activity = ClusterMetrics.StartLinked("ask", _context!.Shared.Trace);
        activity?.SetTag("silo.prompt", Key);
        try
        {
            _metrics.Generations("asked", ask.Rows.Length);
            // The answer comes to this activation: it must not be collected as idle.
            DelayDeactivation(_timing.AskTimeout);
            var start = _time.GetTimestamp();
            var reply = await AskGrainAsync(ask, cancellation);
            if (cancellation.IsCancellationRequested) return;
            DelayDeactivation(TimeSpan.Zero);
            if (reply.Outcome == GenerateOutcome.Done) _metrics.Generated(_time.GetElapsedTime(start));
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
            var grain = GrainFactory.To<IInferenceGrain>(InferenceKeys.Slot(_context!.Shared, ask.Engine, PromptId, ask.Number));
            return await grain.Generate(
                new GenerateMessage { Spec = _context.Shared.Spec, PromptId = PromptId, Prompt = _text!, Rows = ask.Rows, Engine = ask.Engine }, cancellation);
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
        if (reply.Outcome != GenerateOutcome.OtherEngine && reply.Reason != NoEngine) _asksWithoutEngine = 0;
        switch (reply.Outcome)
        {
            case GenerateOutcome.Done when reply.Texts.Sum(t => t.Bytes) + (_texts.Value?.Texts.Sum(t => t.Bytes) ?? 0) is > Limits.MaxTextsBytes and var bytes:
                Take(new PromptEvent.AskFailed(ask.Number, $"with these the prompt's texts take {bytes} bytes: at most {Limits.MaxTextsBytes} are taken", Final: true));
                break;
            case GenerateOutcome.Done:
                Take(new PromptEvent.EngineBack(reply.Engine));
                foreach (var made in reply.Texts)
                {
                    if ((uint)made.Row >= (uint)Record.Run!.Rows.Length) continue;
                    _arrived[made.Row] = made;
                    Take(new PromptEvent.Answer(made.Row, made.Engine));
                }
                _arrived.Clear();
                Take(new PromptEvent.AskEnded(ask.Number));
                break;
            case GenerateOutcome.Busy:
                _metrics.CapacityWait(reply.Reason == NoEngine ? "no_engine" : "busy");
                Take(new PromptEvent.EngineBusy(ask.Number));
                if (reply.Reason == NoEngine) GiveUpEngine(ask);
                else _ = TellBusyAsync();
                break;
            case GenerateOutcome.OtherEngine:
                _metrics.CapacityWait("other_engine");
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
        if (ask.Engine is not { } engine || ++_asksWithoutEngine < AsksBeforeEngineIsGone) return;
        _asksWithoutEngine = 0;
        Take(new PromptEvent.EngineGone(engine));
    }

    private void CancelAsk()
    {
        _asking.Cancel();
        _asking.Dispose();
        _asking = new CancellationTokenSource();
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
            // The campaign's reminder tells this prompt to begin again, and it answers with its end: from what is stored, since another
            // activation may have stored and counted what this one does not know.
            LogNotTold(Key, e.Message);
            DeactivateOnIdle();
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
        _alarm?.Dispose();
        var due = TimeSpan.FromMilliseconds(Math.Max(1, at - Now));
        _alarm = this.RegisterGrainTimer(_ =>
        {
            Take(new PromptEvent.Tick());
            return SettleAsync();
        }, new GrainTimerCreationOptions(due, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });
    }

    // What the shard should count: nothing before the texts are whole, for then they never change; and of the ranks only
    // those that are stored, for what it counts it must be able to take away again.
    private Counted Countable => Stored.Run is { Status: PromptRunStatus.Finished, Kept: > 0 } ? new(true, Stored.Ranks.Count) : default;

    private Task CountAsync() => _counting.IsCompleted ? _counting = TellShardAsync() : _counting;

    private async Task TellShardAsync()
    {
        while (_counted != Countable)
        {
            _counted = await ShardLink.TellAsync(GrainFactory, Experiment, PromptId, _context!, _counted, Countable, [.. Kept()], Stored.Ranks);
            // Stored with the next change; if it never is, the shard says what it has counted.
            _box.Value = Record with { Counted = _counted };
        }
    }

    [LoggerMessage(LogLevel.Information, "Prompt {Prompt}: ask {Ask} was lost and is asked again: {Reason}")]
    private partial void LogAskLost(string prompt, int ask, string reason);

    [LoggerMessage(LogLevel.Warning, "Prompt {Prompt} lost its work and begins again from its state: {Reason}")]
    private partial void LogLost(string prompt, string reason);

    [LoggerMessage(LogLevel.Information, "Prompt {Prompt}: the reminder of its late ranks stays for now: {Reason}")]
    private partial void LogNotForgotten(string prompt, string reason);

    [LoggerMessage(LogLevel.Warning, "Prompt {Prompt} could not tell: {Reason}")]
    private partial void LogNotTold(string prompt, string reason);
}
