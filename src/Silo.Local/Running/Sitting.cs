using System.Collections.Concurrent;
using System.Threading.Channels;
using Silo.Core;
using Silo.Experiments.Campaign;
using Silo.Experiments.Generation;
using Silo.Experiments.Plan;
using Silo.Local.Boards;
using Silo.Storage.Runs;

namespace Silo.Local.Running;

/// <summary>
/// Drives the campaign and its prompt runs from one start of the process to its end: what happens comes in through one
/// queue, is put to the state machines, and what they say is done. One thread; only engine calls and the reduction of
/// their answers are elsewhere.
/// </summary>
internal sealed class Sitting : IDisposable
{
    /// <summary>Rows in flight that fill an engine's batch with some to spare.</summary>
    private const int RowsInFlight = 48;

    private readonly RunRequest _request;
    private readonly RunStore _store;
    private readonly ExperimentPlan _plan;
    private readonly ChannelWriter<RunEvent> _events;
    private readonly RunProgress _progress;
    private readonly RunBoard _measures;
    private readonly string[] _measureNames;
    private readonly IGenerationEngine _engine;
    private readonly BoardWatch _watch;
    private readonly SittingClock _clock;
    private readonly Channel<Message> _inbox = Channel.CreateUnbounded<Message>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<int, PromptRunState> _prompts = [];
    private readonly Dictionary<(int Prompt, int Ask), CancellationTokenSource> _asks = [];
    private readonly CancellationTokenSource _over = new();
    private CampaignState _campaign;
    private long _kept;
    private bool _ended;
    private bool _stopping;

    public Sitting(RunRequest request, RunStore store, ChannelWriter<RunEvent> events)
    {
        (_request, _store, _plan, _events) = (request, store, store.Plan, events);
        _progress = store.Progress();
        _kept = _progress.Kept;
        _engine = request.Model.Engine;
        _measures = RunBoard.Create(_plan.Spec, _plan.Spec.ReferenceTemperatures);
        _measureNames = [.. _measures.Catalog.Measures.Select(m => m.Name)];
        _clock = new SittingClock(request.Time, _plan.Count);
        _campaign = CampaignState.Create(_plan.Prompts, request.Window ?? Math.Max(2, (RowsInFlight + _plan.Rows - 1) / _plan.Rows));
        _watch = new BoardWatch(request, _plan.Spec, events);
    }

    /// <summary>Runs to the end, or to where it was stopped.</summary>
    /// <returns>Whether it came to the end.</returns>
    public async Task<bool> RunAsync(CancellationToken stop, CancellationToken abort)
    {
        _events.TryWrite(new RunEvent.Started(
            _request.Directory, _plan.Spec.Name, _plan.Prompts, _plan.Count, _kept, _progress.Failed, _engine.Fingerprint));
        using var left = abort.Register(_over.Cancel);
        await using var stopped = stop.Register(() => _inbox.Writer.TryWrite(new Message.Stop()));
        var work = new Turn(this);
        work.Tell(new CampaignEvent.Begin());
        work.Commit();
        while (!_ended && !(_stopping && _asks.Count == 0))
        {
            await _inbox.Reader.WaitToReadAsync(abort);
            work = new Turn(this);
            while (_inbox.Reader.TryRead(out var message)) work.Take(message);
            work.Commit();
        }
        await _watch.StopAsync();
        return _ended;
    }

    public void Dispose()
    {
        _over.Cancel();
        _watch.Dispose();
        foreach (var ask in _asks.Values) ask.Dispose();
        _over.Dispose();
    }

    private abstract record Message
    {
        public sealed record OfPrompt(int Number, PromptEvent Event, GenerationRecord? Record = null) : Message;

        public sealed record AskOver(int Prompt, int Ask, PromptEvent Event) : Message;

        public sealed record Stop : Message;
    }

    /// <summary>
    /// All that was in the queue at one time: put to the machines first, then written in one transaction, then told and
    /// done. Nothing is told before it is on the disk.
    /// </summary>
    private sealed class Turn(Sitting sitting)
    {
        private readonly List<Action<RunBatch>> _writes = [];
        private readonly List<Action> _after = [];
        private readonly Queue<CampaignEvent> _toCampaign = [];

        public void Take(Message message)
        {
            switch (message)
            {
                case Message.OfPrompt(var number, var happened, var record):
                    Tell(number, happened, record);
                    break;
                case Message.AskOver(var prompt, var ask, var happened):
                    if (sitting._asks.Remove((prompt, ask), out var source)) source.Dispose();
                    Tell(prompt, happened, null);
                    if (happened is PromptEvent.EngineBusy) Tell(new CampaignEvent.EnginesBusy());
                    break;
                default:
                    sitting._stopping = true;
                    Tell(new CampaignEvent.Pause());
                    break;
            }
        }

        public void Tell(CampaignEvent happened) => _toCampaign.Enqueue(happened);

        public void Commit()
        {
            // Not where an event arises: a run of a hundred thousand finished prompts would be as deep a recursion.
            while (_toCampaign.TryDequeue(out var happened))
            {
                var step = CampaignRun.On(sitting._campaign, happened);
                sitting._campaign = step.State;
                foreach (var command in step.Commands) Do(command);
            }
            if (_writes.Count > 0)
            {
                var seconds = sitting._clock.Lap();
                sitting._store.Write(batch =>
                {
                    foreach (var write in _writes) write(batch);
                    batch.AddSeconds(seconds);
                });
            }
            foreach (var action in _after) action();
        }

        private void Do(CampaignCommand command)
        {
            switch (command)
            {
                case CampaignCommand.BeginPrompt(var prompt):
                    if (!sitting._prompts.ContainsKey(prompt)) sitting._prompts[prompt] = sitting._progress.StateOf(prompt);
                    Tell(prompt, new PromptEvent.Begin(), null);
                    break;
                case CampaignCommand.PausePrompt(var prompt): Tell(prompt, new PromptEvent.Pause(), null); break;
                case CampaignCommand.ContinuePrompt(var prompt): Tell(prompt, new PromptEvent.Continue(), null); break;
                case CampaignCommand.CancelPrompt(var prompt): Tell(prompt, new PromptEvent.Cancel(), null); break;
                default: _after.Add(() => sitting._ended = true); break;
            }
        }

        private void Tell(int prompt, PromptEvent happened, GenerationRecord? record)
        {
            // What comes late for a prompt that has ended finds it kept already.
            if (!sitting._prompts.TryGetValue(prompt, out var state)) return;
            var step = PromptRun.On(state, happened, sitting._clock.Now, sitting._request.Patience);
            sitting._prompts[prompt] = step.State;
            foreach (var command in step.Commands) Do(prompt, state, command, record);
        }

        private void Do(int prompt, PromptRunState before, PromptCommand command, GenerationRecord? record)
        {
            switch (command)
            {
                case PromptCommand.Keep(var row):
                    _writes.Add(batch => batch.Keep(prompt, row, record!, sitting._measureNames));
                    _after.Add(() => sitting.TellKept(record!));
                    break;
                case PromptCommand.Fail fail:
                    _writes.Add(batch => batch.Fail(prompt, fail));
                    _after.Add(() => sitting._events.TryWrite(
                        new RunEvent.GenerationFailed(sitting._plan.Key(prompt, fail.Row), fail.Attempt, fail.Reason, fail.Final)));
                    break;
                case PromptCommand.Discard(var engine):
                    _writes.Add(batch => batch.Discard(prompt, engine));
                    _after.Add(() => sitting.TellDiscarded(prompt, engine, before.Kept));
                    break;
                case PromptCommand.Ask ask:
                    if (ask.Engine is { } bound && bound != sitting._engine.Fingerprint)
                        // This process has one engine: whatever made the others is not coming back.
                        Tell(prompt, new PromptEvent.EngineGone(bound), null);
                    else _after.Add(() => sitting.Ask(prompt, ask));
                    break;
                case PromptCommand.WakeAt(var time): _after.Add(() => sitting.WakeAt(prompt, time)); break;
                case PromptCommand.CancelAsk(var number):
                    _after.Add(() =>
                    {
                        if (sitting._asks.TryGetValue((prompt, number), out var source)) source.Cancel();
                    });
                    break;
                case PromptCommand.Finish(var kept, var failed, _):
                    sitting._prompts.Remove(prompt);
                    _after.Add(() => sitting.TellFinished(prompt, kept, failed, isNew: before.Status != PromptRunStatus.New));
                    Tell(new CampaignEvent.PromptEnded(prompt, kept, failed));
                    break;
            }
        }
    }

    private void TellKept(GenerationRecord record)
    {
        _kept++;
        _clock.Count(record.Tokens.Length);
        _events.TryWrite(new RunEvent.GenerationFinished(record.Key, record.Tokens.Length, _clock.Speed(_kept)));
    }

    private void TellDiscarded(int prompt, string engine, int texts)
    {
        _kept -= texts;
        _events.TryWrite(new RunEvent.PromptMadeAnew(_plan.Spec.Prompts[prompt].Id, engine));
    }

    private void TellFinished(int prompt, int kept, int failed, bool isNew)
    {
        _watch.Add(prompt);
        if (isNew) _events.TryWrite(new RunEvent.PromptFinished(_plan.Spec.Prompts[prompt].Id, kept, failed));
    }

    private void Ask(int prompt, PromptCommand.Ask ask)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(_over.Token);
        _asks.Add((prompt, ask.Number), source);
        _ = AskAsync(prompt, ask, source.Token);
    }

    private async Task AskAsync(int prompt, PromptCommand.Ask ask, CancellationToken cancelled)
    {
        var reductions = new ConcurrentBag<Task>();
        PromptEvent over;
        try
        {
            await _engine.GenerateAsync(_plan.Request(prompt, ask.Rows), result => reductions.Add(Task.Run(() =>
            {
                var record = _measures.Catalog.Reduce(result, _plan.Spec.Traces);
                _inbox.Writer.TryWrite(new Message.OfPrompt(prompt, new PromptEvent.Answer(_plan.Row(result.Key), result.Engine), record));
            }, CancellationToken.None)), cancelled);
            await Task.WhenAll(reductions);
            over = new PromptEvent.AskEnded(ask.Number);
        }
        catch (EngineBusyException)
        {
            over = new PromptEvent.EngineBusy(ask.Number);
        }
        catch (Exception e)
        {
            // Whatever went wrong, the run goes on and says why. What the user's input caused will not go better next time.
            over = new PromptEvent.AskFailed(ask.Number, e.Message.ReplaceLineEndings(" "), Final: e is SiloException);
        }
        _inbox.Writer.TryWrite(new Message.AskOver(prompt, ask.Number, over));
    }

    private void WakeAt(int prompt, long time) =>
        _ = WakeAsync(prompt, TimeSpan.FromMilliseconds(Math.Max(0, time - _clock.Now)), _over.Token);

    private async Task WakeAsync(int prompt, TimeSpan wait, CancellationToken over)
    {
        try
        {
            await Task.Delay(wait, _request.Time, over);
            _inbox.Writer.TryWrite(new Message.OfPrompt(prompt, new PromptEvent.Tick()));
        }
        catch (OperationCanceledException)
        {
            // The sitting is over.
        }
    }
}
