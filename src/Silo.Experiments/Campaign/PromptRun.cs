using System.Collections.Immutable;
using System.Globalization;

namespace Silo.Experiments.Campaign;

/// <summary>The state after an event, and what is to be done.</summary>
/// <param name="State">The new state.</param>
/// <param name="Commands">What is to be done, in order; often nothing.</param>
public readonly record struct PromptStep(PromptRunState State, IReadOnlyList<PromptCommand> Commands);

/// <summary>
/// One prompt on its way to all its texts: a pure function from state and event to state and commands. Its rules: each
/// row is kept once, and the first kept text stands; all kept texts of a prompt are from one engine; failures are
/// tried again a bounded number of times, then stay visible; whatever is lost is asked again.
/// </summary>
public static class PromptRun
{
    /// <summary>Takes an event.</summary>
    /// <param name="state">The state so far.</param>
    /// <param name="happened">What happened.</param>
    /// <param name="now">The driver's time in milliseconds; only differences matter.</param>
    /// <param name="options">How patient the run is.</param>
    public static PromptStep On(PromptRunState state, PromptEvent happened, long now, PromptRunOptions options)
    {
        var turn = new Turn(state, now, options);
        switch (happened)
        {
            case PromptEvent.Begin: turn.Begin(); break;
            case PromptEvent.Recover: turn.Recover(); break;
            case PromptEvent.Answer answer: turn.Answer(answer.Row, answer.Engine); break;
            case PromptEvent.AskEnded ended: turn.AskFailed(ended.Ask, "the engine ended without this text", final: false); break;
            case PromptEvent.AskFailed failed: turn.AskFailed(failed.Ask, failed.Reason, failed.Final); break;
            case PromptEvent.EngineBusy busy: turn.Busy(busy.Ask); break;
            case PromptEvent.EngineGone gone: turn.EngineGone(gone.Engine); break;
            case PromptEvent.EngineBack back: turn.EngineBack(back.Engine); break;
            case PromptEvent.Tick: turn.Tick(); break;
            case PromptEvent.Pause: turn.Pause(); break;
            case PromptEvent.Continue: turn.Continue(); break;
            case PromptEvent.Cancel: turn.Cancel(); break;
            default: throw new ArgumentException($"unknown event {happened}", nameof(happened));
        }
        return turn.End();
    }

    private ref struct Turn(PromptRunState state, long now, PromptRunOptions options)
    {
        private readonly List<PromptCommand> _commands = [];
        private PromptRunState _state = state;

        public readonly PromptStep End() => new(_state, _commands);

        public void Begin()
        {
            if (_state.Status is PromptRunStatus.Finished or PromptRunStatus.Cancelled) TellEnd();
            else if (_state.Status == PromptRunStatus.Paused) Continue();
            else if (_state.Status == PromptRunStatus.New)
            {
                _state = _state with { Status = PromptRunStatus.Running };
                GoOn();
            }
        }

        public void Recover()
        {
            if (_state.Status is PromptRunStatus.Finished or PromptRunStatus.Cancelled) TellEnd();
            else if (_state.Status == PromptRunStatus.Running)
            {
                EndAsk();
                if (Waits() is { } next) _commands.Add(new PromptCommand.WakeAt(next));
                else GoOn();
            }
            else EndAsk();
        }

        public void Answer(int row, string engine)
        {
            if ((uint)row >= (uint)_state.Rows.Length) throw new ArgumentOutOfRangeException(nameof(row));
            if (_state.Status == PromptRunStatus.Cancelled)
                _commands.Add(new PromptCommand.Drop(row, DropCause.Cancelled));
            else if (_state.Rows[row].Status != RowStatus.Open)
                _commands.Add(new PromptCommand.Drop(row, DropCause.Duplicate));
            else if ((_state.Engine ?? engine) != engine || _state.Gone == engine)
                _commands.Add(new PromptCommand.Drop(row, DropCause.OtherEngine));
            else
            {
                _commands.Add(new PromptCommand.Keep(row));
                SetRow(row, new PromptRow(RowStatus.Kept, _state.Rows[row].Attempts));
                _state = _state with { Engine = engine, Busy = 0 };
                if (!AnyOpen()) Finish();
            }
        }

        public void AskFailed(int ask, string reason, bool final)
        {
            if (!_state.Asking || ask != _state.Ask) return;
            EndAsk();
            var attempts = 0;
            for (var row = 0; row < _state.Rows.Length; row++)
            {
                if (_state.Rows[row].Status != RowStatus.Open) continue;
                var attempt = _state.Rows[row].Attempts + 1;
                var last = final || attempt >= options.Attempts;
                SetRow(row, new PromptRow(last ? RowStatus.Failed : RowStatus.Open, attempt, reason));
                _commands.Add(new PromptCommand.Fail(row, attempt, reason, last));
                attempts = Math.Max(attempts, attempt);
            }
            if (!AnyOpen()) Finish();
            else Wait(options.RetryDelay, attempts);
        }

        public void Busy(int ask)
        {
            if (!_state.Asking || ask != _state.Ask) return;
            EndAsk();
            _state = _state with { Busy = _state.Busy + 1 };
            Wait(options.BusyDelay, _state.Busy);
        }

        public void EngineGone(string engine)
        {
            if (_state.Status is PromptRunStatus.Finished or PromptRunStatus.Cancelled || _state.Engine != engine) return;
            if (_state.Asking) _commands.Add(new PromptCommand.CancelAsk(_state.Ask));
            EndAsk();
            _commands.Add(new PromptCommand.Discard(engine));
            // What failed on the engine that is gone may well succeed on another: every row is open again.
            _state = _state with
            {
                Rows = PromptRunState.Create(_state.Rows.Length).Rows,
                Engine = null,
                Gone = engine,
                NextAsk = null,
                Restarts = _state.Restarts + 1,
            };
            GoOn();
        }

        public void Tick()
        {
            if (_state.Asking && _state.Deadline <= now)
            {
                _commands.Add(new PromptCommand.CancelAsk(_state.Ask));
                AskFailed(_state.Ask, string.Create(CultureInfo.InvariantCulture, $"no answer within {options.AskTimeout / 1000.0} s"), final: false);
            }
            else if (_state.Asking && _state.Deadline is { } deadline)
            {
                // Never later than the patience from now: a clock that was set back must not make it longer.
                _state = _state with { Deadline = Math.Min(deadline, now + options.AskTimeout ?? deadline) };
                _commands.Add(new PromptCommand.WakeAt(_state.Deadline.Value));
            }
            else if (!_state.Asking && _state.Status == PromptRunStatus.Running)
            {
                if (Waits() is { } next) _commands.Add(new PromptCommand.WakeAt(next));
                else GoOn();
            }
        }

        public void EngineBack(string engine)
        {
            if (_state.Gone == engine) _state = _state with { Gone = null };
        }

        public void Pause()
        {
            if (_state.Status is PromptRunStatus.Running or PromptRunStatus.New)
                _state = _state with { Status = PromptRunStatus.Paused };
        }

        public void Continue()
        {
            if (_state.Status != PromptRunStatus.Paused) return;
            _state = _state with { Status = PromptRunStatus.Running };
            if (!_state.Asking) GoOn();
        }

        public void Cancel()
        {
            if (_state.Status is PromptRunStatus.Finished or PromptRunStatus.Cancelled) return;
            if (_state.Asking) _commands.Add(new PromptCommand.CancelAsk(_state.Ask));
            EndAsk();
            _state = _state with { Status = PromptRunStatus.Cancelled, NextAsk = null };
            TellEnd();
        }

        private void GoOn()
        {
            if (_state.Status != PromptRunStatus.Running) return;
            if (!AnyOpen())
            {
                Finish();
                return;
            }
            _state = _state with
            {
                Ask = _state.Ask + 1,
                Asking = true,
                Deadline = options.AskTimeout is { } timeout ? now + timeout : null,
                NextAsk = null,
            };
            _commands.Add(new PromptCommand.Ask(_state.Ask, OpenRows(), _state.Engine));
            if (_state.Deadline is { } deadline) _commands.Add(new PromptCommand.WakeAt(deadline));
        }

        // When to ask again, if that is still to come. No wait is longer than the longest: a time further away was written by
        // a clock that went wrong.
        private readonly long? Waits() => _state.NextAsk is { } next && next > now && next - now <= options.LongestDelay ? next : null;

        private void Wait(long delay, int times)
        {
            var wait = Math.Min(options.LongestDelay, delay << Math.Min(times - 1, 30));
            _state = _state with { NextAsk = now + wait };
            if (_state.Status == PromptRunStatus.Running) _commands.Add(new PromptCommand.WakeAt(now + wait));
        }

        private void Finish()
        {
            EndAsk();
            _state = _state with { Status = PromptRunStatus.Finished, NextAsk = null };
            TellEnd();
        }

        private void EndAsk() => _state = _state with { Asking = false, Deadline = null };

        private readonly void TellEnd() =>
            _commands.Add(new PromptCommand.Finish(_state.Kept, _state.Failed, _state.Status == PromptRunStatus.Cancelled));

        private void SetRow(int row, PromptRow value) => _state = _state with { Rows = _state.Rows.SetItem(row, value) };

        private readonly bool AnyOpen() => _state.Rows.Any(r => r.Status == RowStatus.Open);

        private readonly ImmutableArray<int> OpenRows()
        {
            var rows = ImmutableArray.CreateBuilder<int>();
            for (var row = 0; row < _state.Rows.Length; row++)
                if (_state.Rows[row].Status == RowStatus.Open) rows.Add(row);
            return rows.ToImmutable();
        }
    }
}
