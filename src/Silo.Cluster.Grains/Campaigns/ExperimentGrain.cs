using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Grains.Correlations;
using Silo.Cluster.Grains.State;
using Silo.Core;
using Silo.Experiments.Campaign;
using Silo.Experiments.Plan;
using Silo.Experiments.Spec;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>
/// Drives <see cref="CampaignRun"/>: takes events, stores the state, carries the commands to the pages of prompts. What
/// a crash swallowed is told again by a reminder; every command may be given twice.
/// </summary>
[Reentrant]
internal sealed partial class ExperimentGrain : Grain, IExperimentGrain, IRemindable
{
    private const string ReminderName = "campaign";
    private const int PagesAtOnce = 16;

    private readonly StateBox<ExperimentRecord> _box;
    private readonly GroupCommit _commit;
    private readonly ClusterMetrics _metrics;
    private readonly CampaignGauges _gauges;
    private readonly TimeProvider _time;
    private readonly CampaignTiming _timing;
    private readonly ILogger _logger;
    private readonly Dictionary<int, List<PromptOrder>> _orders = [];
    private readonly List<TaskCompletionSource> _watchers = [];
    private readonly HashSet<int> _beingTold = [];
    private Task<int?>? _checking;
    private Task _finishing = Task.CompletedTask;
    private IGrainTimer? _watch;
    private long _lastReminder;
    private bool _finishDue;
    private bool _isLeaving;

    public ExperimentGrain(
        [PersistentState("experiment", StoreNames.Main)] IPersistentState<PackedState> state,
        ClusterMetrics metrics, CampaignGauges gauges, TimeProvider time, IOptions<CampaignTiming> timing, ILogger<ExperimentGrain> logger)
    {
        _box = new StateBox<ExperimentRecord>(state, CampaignJson.Default.ExperimentRecord, "experiment", Limits.MaxStateBytes, metrics);
        _commit = new GroupCommit(StoreAsync, Leave, () => timing.Value.EndsGather, time);
        _metrics = metrics;
        _gauges = gauges;
        _time = time;
        _timing = timing.Value;
        _logger = logger;
    }

    private string Id => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _box.Load();
        if (_box.Value is not { Started: true } record) return Task.CompletedTask;
        // Who asks for a campaign that is over does not write it again; the reminder, if it is still there, does the rest.
        if (!IsOver(StatusNow()!))
        {
            KeepWatch();
            _ = EnsureReminderAsync();
            _ = RemindAsync();
        }
        _gauges.Show(Id, record.Campaign, record.Started);
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _isLeaving = true;
        WakeWatchers();
        await _commit.CloseAsync();
        _gauges.Forget(Id);
    }

    public async Task<SubmitReply> Submit(Submission submission)
    {
        if (_box.Value is null && Check(submission) is { } reason) return Refused(reason);
        if (_box.Value is null && !await GrainFactory.GetGrain<IOpenExperimentsGrain>(0).Open(Id))
            return Refused($"{Limits.MaxOpenExperiments} experiments are open already");
        if (_box.Value is { } known)
        {
            await _commit.PendingAsync();
            return known.Hash == submission.Hash
                ? new SubmitReply { Outcome = SubmitOutcome.Known }
                : new SubmitReply { Outcome = SubmitOutcome.Conflict, Reason = $"submitted before with another spec (hash {known.Hash[..12]}, this one {Shown(submission.Hash)})" };
        }
        _box.Value = new ExperimentRecord
        {
            Spec = submission.Spec,
            Hash = submission.Hash,
            Prompts = submission.Prompts,
            Shards = Sharding.Count(submission.Prompts),
            Model = submission.Model,
            Device = submission.Device,
            Campaign = CampaignState.Create(submission.Prompts, submission.Window),
            Trace = Activity.Current?.Id,
        };
        await _commit.CommitAsync();
        return new SubmitReply { Outcome = SubmitOutcome.Accepted };
    }

    public async Task<int?> Start()
    {
        if (_box.Value is not { } record) throw new SiloException($"experiment '{Id}' was not submitted");
        if (record.Campaign.Status == CampaignStatus.Cancelled) return null;
        if (!record.Started)
        {
            if (await CheckPromptsAsync(record) is { } missing) return missing;
            // It had a place when it was submitted, and may have lost it since.
            if (!await GrainFactory.GetGrain<IOpenExperimentsGrain>(0).Open(Id))
                throw new SiloException($"experiment '{Id}' cannot start yet: {Limits.MaxOpenExperiments} experiments are open already; submit it again when one has ended");
            await this.RegisterOrUpdateReminder(ReminderName, _timing.RemindEvery, _timing.RemindEvery);
        }
        if (_box.Value is { Started: true })
        {
            await _commit.PendingAsync();
            return null;
        }
        _box.Value = _box.Value! with { Started = true };
        KeepWatch();
        Take(new CampaignEvent.Begin());
        await _commit.CommitAsync();
        return null;
    }

    public Task<CampaignStatusReply?> Status() => Task.FromResult(StatusNow());

    public Task<string?> Spec() => Task.FromResult(_box.Stored?.Spec);

    public async IAsyncEnumerable<CampaignStatusReply> Watch(long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // An end without the campaign's end says: watch again, elsewhere.
        while (!_isLeaving)
        {
            if (StatusNow() is { } status && status.Sequence > after)
            {
                after = status.Sequence;
                yield return status;
                if (IsOver(status)) yield break;
                continue;
            }
            var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _watchers.Add(changed);
            try
            {
                await changed.Task.WaitAsync(cancellationToken);
            }
            finally
            {
                // Of one that nobody reads any more nothing is left.
                _watchers.Remove(changed);
            }
        }
    }

    public Task<CampaignStatusReply?> Pause() => OperateStarted(new CampaignEvent.Pause());

    public Task<CampaignStatusReply?> Resume() => OperateStarted(new CampaignEvent.Continue());

    public Task<CampaignStatusReply?> Cancel() => Operate(new CampaignEvent.Cancel());

    public Task<CampaignStatusReply?> SetWindow(int window) =>
        window is < 1 or > Limits.MaxWindow
            ? throw new SiloException($"window {window}: expected 1 to {Limits.MaxWindow}")
            : Operate(new CampaignEvent.SetWindow(window));

    public Task<CampaignContext?> Context() => Task.FromResult(_box.Stored is not { } record ? null : new CampaignContext
    {
        Spec = record.Spec,
        Hash = record.Hash,
        Model = record.Model,
        Device = record.Device,
        Shards = record.Shards,
        Prompts = record.Prompts,
        Trace = record.Trace,
    });

    public async Task<string?> AdmitPanels(IReadOnlyList<string> panels)
    {
        if (_box.Value is not { } record) return $"there is no experiment '{Id}'";
        var known = record.Panels ?? [];
        string[] all = [.. known.Union(panels, StringComparer.Ordinal)];
        if (all.Length > Limits.MaxPanels)
            return $"panel '{all[Limits.MaxPanels]}' would be number {Limits.MaxPanels + 1} of experiment '{Id}': raters of one kind share a panel, and at most {Limits.MaxPanels} are taken";
        if (all.Length == known.Count)
        {
            await _commit.PendingAsync();
            return null;
        }
        _box.Value = record with { Panels = all };
        await _commit.CommitAsync();
        return null;
    }

    public async Task PromptsEnded(IReadOnlyList<PromptEnd> ends)
    {
        if (_box.Value is null) return;
        foreach (var end in ends)
        {
            var before = _box.Value.Campaign.Ended;
            Take(new CampaignEvent.PromptEnded(end.Prompt, end.Kept, end.Failed));
            if (_box.Value.Campaign.Ended > before)
                _box.Value = _box.Value with { Tokens = _box.Value.Tokens + end.Tokens };
        }
        await _commit.CommitAsync();
    }

    public Task EnginesBusy()
    {
        if (_box.Value is not null) Take(new CampaignEvent.EnginesBusy());
        return Task.CompletedTask;
    }

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        _lastReminder = _time.GetTimestamp();
        return RemindAsync();
    }

    private async Task RemindAsync()
    {
        // One that was cancelled before it started has an end to tell, too.
        if (_box.Value is not { } record || (!record.Started && record.Campaign.Status != CampaignStatus.Cancelled)) return;
        if (StatusNow() is { } status && IsOver(status))
        {
            // Nothing of it changes any more; that it is over may not have been heard everywhere.
            _finishDue = true;
            Carry();
            return;
        }
        Take(new CampaignEvent.Remind());
        try
        {
            await _commit.CommitAsync();
        }
        catch (Exception e)
        {
            // The next reminder finds another activation.
            LogNotReminded(Id, e.Message);
        }
    }

    // The reminder brings the campaign back when its silo is lost. As long as the grain lives, it misses ticks itself.
    private void KeepWatch()
    {
        _lastReminder = _time.GetTimestamp();
        _watch ??= this.RegisterGrainTimer(async _ =>
        {
            if (StatusNow() is { } status && IsOver(status))
            {
                _watch?.Dispose();
                _watch = null;
                return;
            }
            if (_time.GetElapsedTime(_lastReminder) < 2 * _timing.RemindEvery) return;
            await EnsureReminderAsync();
            await RemindAsync();
        }, new GrainTimerCreationOptions(_timing.RemindEvery, _timing.RemindEvery) { Interleave = true, KeepAlive = true });
    }

    // A reminder that got lost would be missed only when it is needed.
    private async Task EnsureReminderAsync()
    {
        try
        {
            if (await this.GetReminder(ReminderName) is null) await this.RegisterOrUpdateReminder(ReminderName, _timing.RemindEvery, _timing.RemindEvery);
        }
        catch (Exception e)
        {
            LogNotReminded(Id, e.Message);
        }
    }

    // Going on would begin prompts that are not all in, or not what was submitted.
    private Task<CampaignStatusReply?> OperateStarted(CampaignEvent happened) => _box.Value is { Started: false, Campaign.Status: not CampaignStatus.Cancelled }
        ? throw new SiloException($"experiment '{Id}' has not started: submit it again, so that all its prompts are in")
        : Operate(happened);

    private async Task<CampaignStatusReply?> Operate(CampaignEvent happened)
    {
        if (_box.Value is null) return null;
        Take(happened);
        await _commit.CommitAsync();
        return StatusNow();
    }

    private void Take(CampaignEvent happened)
    {
        var (state, commands) = CampaignRun.On(_box.Value!.Campaign, happened);
        _box.Value = _box.Value with { Campaign = state };
        foreach (var command in commands)
            switch (command)
            {
                case CampaignCommand.BeginPrompt c: Order(c.Prompt, PromptOrderKind.Begin); break;
                case CampaignCommand.PausePrompt c: Order(c.Prompt, PromptOrderKind.Pause); break;
                case CampaignCommand.ContinuePrompt c: Order(c.Prompt, PromptOrderKind.Continue); break;
                case CampaignCommand.CancelPrompt c: Order(c.Prompt, PromptOrderKind.Cancel); break;
                case CampaignCommand.Finish: _finishDue = true; break;
                default: throw new InvalidOperationException($"unknown command {command}");
            }
    }

    private void Order(int prompt, PromptOrderKind kind)
    {
        var page = prompt / Limits.PageSize;
        if (!_orders.TryGetValue(page, out var list)) _orders[page] = list = [];
        list.Add(new PromptOrder(prompt, kind));
    }

    private async Task StoreAsync()
    {
        _box.Value = _box.Value! with { Sequence = _box.Value.Sequence + 1 };
        await _box.WriteAsync();
        _gauges.Show(Id, _box.Value.Campaign, _box.Value.Started);
        WakeWatchers();
        Carry();
    }

    // After the state is stored, so that no prompt is begun that the state does not know; and never awaited by a caller.
    private void Carry()
    {
        TellPages();
        if (_finishDue && _finishing.IsCompleted)
        {
            _finishDue = false;
            _finishing = FinishAsync();
        }
    }

    // Each page by itself: one that does not answer keeps no other from being told.
    private void TellPages()
    {
        foreach (var page in _orders.Keys.Where(page => !_beingTold.Contains(page)).Take(PagesAtOnce - _beingTold.Count).ToArray())
        {
            if (!_orders.Remove(page, out var list)) continue;
            _beingTold.Add(page);
            _ = TellPageAsync(page, list);
        }
    }

    private async Task TellPageAsync(int page, List<PromptOrder> list)
    {
        try
        {
            await GrainFactory.GetGrain<IPromptPageGrain>(Keys.Part(Id, page)).Tell(list);
        }
        catch (Exception e)
        {
            // The reminder tells what is in flight again.
            LogNotTold(Id, page, e.Message);
        }
        _beingTold.Remove(page);
        if (!_isLeaving) TellPages();
    }

    private async Task FinishAsync()
    {
        var record = _box.Value!;
        try
        {
            if (record.Digest is null && record.Campaign.Status == CampaignStatus.Finished)
            {
                var digest = await DigestAsync(record);
                _box.Value = _box.Value! with { Digest = digest.Hex, Engines = digest.Engines };
                await _commit.CommitAsync();
            }
            await GrainFactory.GetGrain<IOpenExperimentsGrain>(0).Close(Id);
            if (await this.GetReminder(ReminderName) is { } reminder) await this.UnregisterReminder(reminder);
        }
        catch (Exception e)
        {
            LogNotFinished(Id, e.Message);
        }
    }

    private async Task<RunDigest> DigestAsync(ExperimentRecord record)
    {
        using var sum = new RunDigest.Sum();
        var next = 0;
        foreach (var group in Enumerable.Range(0, record.Pages).Chunk(PagesAtOnce))
            foreach (var ends in await Task.WhenAll(group.Select(p => GrainFactory.GetGrain<IPromptPageGrain>(Keys.Part(Id, p)).Ends())))
                foreach (var end in ends.OrderBy(e => e.Prompt))
                {
                    if (end.Prompt != next) throw new InvalidOperationException($"prompt {next} has not told its end");
                    next++;
                    sum.Add(end.Digest, end.Engine);
                }
        return next == record.Prompts ? sum.End() : throw new InvalidOperationException($"{next} of {record.Prompts} prompts told their end");
    }

    // Who asks again meanwhile waits for the same check.
    private async Task<int?> CheckPromptsAsync(ExperimentRecord record)
    {
        var mine = _checking ??= PromptCheck.RunAsync(GrainFactory, Id, record);
        try
        {
            return await mine;
        }
        catch (SiloException)
        {
            _metrics.CallRefused("prompts");
            throw;
        }
        finally
        {
            if (_checking == mine) _checking = null;
        }
    }

    private void WakeWatchers()
    {
        foreach (var watcher in _watchers) watcher.TrySetResult();
        _watchers.Clear();
    }

    private void Leave()
    {
        _isLeaving = true;
        WakeWatchers();
        DeactivateOnIdle();
    }

    private CampaignStatusReply? StatusNow() => _box.Stored is not { } r ? null : new CampaignStatusReply
    {
        Sequence = r.Sequence,
        Status = r.Campaign.Status.ToString().ToLowerInvariant(),
        Prompts = r.Prompts,
        Ended = r.Campaign.Ended,
        InFlight = r.Campaign.InFlight.Length,
        Kept = r.Campaign.Kept,
        Failed = r.Campaign.Failed,
        Window = r.Campaign.Window,
        Open = r.Campaign.Open,
        Tokens = r.Tokens,
        Digest = r.Digest,
        Engines = r.Engines,
        Hash = r.Hash,
    };

    private static bool IsOver(CampaignStatusReply status) => status.Status == "cancelled" || (status.Status == "finished" && status.Digest is not null);

    private SubmitReply Refused(string reason)
    {
        _metrics.CallRefused("submission");
        return new SubmitReply { Outcome = SubmitOutcome.Refused, Reason = reason };
    }

    private string? Check(Submission s)
    {
        if (s?.Spec is null || s.Hash is null) return "a submission without spec or hash";
        if (s.Spec.Length > Limits.MaxSpecLength) return $"the spec has {s.Spec.Length} characters, at most {Limits.MaxSpecLength} are taken";
        if (s.Prompts is < 1 or > Limits.MaxPrompts) return $"{s.Prompts} prompts: expected 1 to {Limits.MaxPrompts}";
        if (s.Window is < 1 or > Limits.MaxWindow) return $"window {s.Window}: expected 1 to {Limits.MaxWindow}";
        if (s.Hash.Length != 64) return "the hash is no SHA-256";
        // Both stand in keys of grains.
        if (s.Model is { Length: 0 or > Limits.MaxModelLength }) return $"a model's name of {s.Model.Length} characters: expected 1 to {Limits.MaxModelLength}";
        if (s.Device is not (null or "cpu" or "cuda")) return "the device is neither cpu nor cuda";
        try
        {
            Keys.Experiment(Id);
            var spec = ContextCache.ParseSpec(s.Spec);
            if (spec.MaxTokens > Limits.MaxTokens) return $"max_tokens {spec.MaxTokens}: at most {Limits.MaxTokens}";
            if (spec.Temperatures.Count * (long)spec.Samples > Limits.MaxRows) return $"{spec.Temperatures.Count} temperatures x {spec.Samples} samples: at most {Limits.MaxRows} texts a prompt";
            var bytes = PlanEstimate.Of(new ExperimentPlan(spec with { Prompts = [new Prompt("any", "")], PromptsFile = null }), ContextCache.CatalogOf(spec).Measures.Count, null).Bytes;
            if (bytes > Limits.MaxPromptBytes) return $"the texts of one prompt may take {bytes} bytes: at most {Limits.MaxPromptBytes} are taken (fewer samples, tokens or traces)";
            return null;
        }
        catch (SiloException e)
        {
            return e.Message;
        }
    }

    private static string Shown(string hash) => hash.Length > 12 ? hash[..12] : hash;

    [LoggerMessage(LogLevel.Warning, "Campaign {Experiment}: page {Page} was not told: {Reason}")]
    private partial void LogNotTold(string experiment, int page, string reason);

    [LoggerMessage(LogLevel.Warning, "Campaign {Experiment} could not be reminded: {Reason}")]
    private partial void LogNotReminded(string experiment, string reason);

    [LoggerMessage(LogLevel.Warning, "Campaign {Experiment} could not be finished yet: {Reason}")]
    private partial void LogNotFinished(string experiment, string reason);
}
