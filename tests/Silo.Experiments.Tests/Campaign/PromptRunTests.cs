using Silo.Experiments.Campaign;

namespace Silo.Experiments.Tests.Campaign;

public class PromptRunTests
{
    private static readonly PromptRunOptions s_options = new() { Attempts = 3, AskTimeout = 1_000, RetryDelay = 100, BusyDelay = 10, LongestDelay = 300 };

    private PromptRunState _state = PromptRunState.Create(3);

    [Fact]
    public void A_prompt_asks_for_all_rows_at_once_and_keeps_each_answer_once()
    {
        Assert.Equal([Ask(1, null, 0, 1, 2), new PromptCommand.WakeAt(1_000)], On(new PromptEvent.Begin(), 0));
        Assert.Empty(On(new PromptEvent.Begin(), 1));
        Assert.Equal([new PromptCommand.Keep(1)], On(new PromptEvent.Answer(1, "a"), 2));
        Assert.Equal([new PromptCommand.Drop(1, DropCause.Duplicate)], On(new PromptEvent.Answer(1, "a"), 2));
        On(new PromptEvent.Answer(0, "a"), 3);
        Assert.Equal([new PromptCommand.Keep(2), new PromptCommand.Finish(3, 0, false)], On(new PromptEvent.Answer(2, "a"), 4));
        Assert.Empty(On(new PromptEvent.AskEnded(1), 5));
        Assert.Equal([new PromptCommand.Finish(3, 0, false)], On(new PromptEvent.Begin(), 6));
    }

    [Fact]
    public void An_ask_without_end_is_taken_for_lost_and_its_late_answer_still_kept()
    {
        On(new PromptEvent.Begin(), 0);
        Assert.Equal([new PromptCommand.WakeAt(1_000)], On(new PromptEvent.Tick(), 999));
        var commands = On(new PromptEvent.Tick(), 1_000);
        Assert.Equal(new PromptCommand.CancelAsk(1), commands[0]);
        Assert.Equal(new PromptCommand.Fail(0, 1, "no answer within 1 s", false), commands[1]);
        Assert.Equal(new PromptCommand.WakeAt(1_100), commands[^1]);
        Assert.Equal([new PromptCommand.Keep(0)], On(new PromptEvent.Answer(0, "a"), 1_050));
        Assert.Equal(Ask(2, "a", 1, 2), On(new PromptEvent.Tick(), 1_100)[0]);
        Assert.Empty(On(new PromptEvent.AskFailed(1, "late", false), 1_101));
    }

    [Fact]
    public void Failures_wait_longer_each_time_and_the_last_one_is_final()
    {
        On(new PromptEvent.Begin(), 0);
        Assert.Equal(new PromptCommand.WakeAt(100), On(new PromptEvent.AskFailed(1, "x", false), 0)[^1]);
        On(new PromptEvent.Tick(), 100);
        Assert.Equal(new PromptCommand.WakeAt(300), On(new PromptEvent.AskFailed(2, "y", false), 100)[^1]);
        On(new PromptEvent.Tick(), 300);
        Assert.Equal([Fail(0), Fail(1), Fail(2), new PromptCommand.Finish(0, 3, false)], On(new PromptEvent.AskFailed(3, "z", false), 300));

        static PromptCommand Fail(int row) => new PromptCommand.Fail(row, 3, "z", true);
    }

    [Fact]
    public void A_busy_engine_costs_no_attempt()
    {
        On(new PromptEvent.Begin(), 0);
        long now = 0, ask = 1;
        foreach (var wait in (long[])[10, 20, 40, 80, 160, 300, 300])
        {
            Assert.Equal([new PromptCommand.WakeAt(now + wait)], On(new PromptEvent.EngineBusy((int)ask++), now));
            now += wait;
            On(new PromptEvent.Tick(), now);
        }
        Assert.All(_state.Rows, r => Assert.Equal(0, r.Attempts));
    }

    [Fact]
    public void A_prompt_never_mixes_engines_and_is_made_anew_only_when_its_own_is_gone()
    {
        On(new PromptEvent.Begin(), 0);
        On(new PromptEvent.Answer(0, "a"), 0);
        Assert.Equal([new PromptCommand.Drop(1, DropCause.OtherEngine)], On(new PromptEvent.Answer(1, "b"), 0));
        On(new PromptEvent.AskEnded(1), 0);
        Assert.Equal(Ask(2, "a", 1, 2), On(new PromptEvent.Tick(), 100)[0]);
        Assert.Empty(On(new PromptEvent.EngineGone("b"), 100));
        Assert.Equal(
            [new PromptCommand.CancelAsk(2), new PromptCommand.Discard("a"), Ask(3, null, 0, 1, 2), new PromptCommand.WakeAt(1_100)],
            On(new PromptEvent.EngineGone("a"), 100));
        Assert.Equal([new PromptCommand.Drop(1, DropCause.OtherEngine)], On(new PromptEvent.Answer(1, "a"), 100));
        Assert.Equal([new PromptCommand.Keep(1)], On(new PromptEvent.Answer(1, "b"), 100));
        Assert.Equal((1, "b"), (_state.Restarts, _state.Engine));
    }

    [Fact]
    public void An_engine_that_was_gone_and_answers_again_is_one_like_any_other()
    {
        On(new PromptEvent.Begin(), 0);
        On(new PromptEvent.Answer(0, "a"), 0);
        On(new PromptEvent.EngineGone("a"), 0);
        Assert.Empty(On(new PromptEvent.EngineBack("b"), 0));
        Assert.Equal([new PromptCommand.Drop(0, DropCause.OtherEngine)], On(new PromptEvent.Answer(0, "a"), 0));
        Assert.Empty(On(new PromptEvent.EngineBack("a"), 0));
        Assert.Equal([new PromptCommand.Keep(0)], On(new PromptEvent.Answer(0, "a"), 0));
    }

    [Fact]
    public void A_clock_that_is_set_back_makes_no_wait_longer_than_the_longest()
    {
        const long Tomorrow = 86_400_000;
        On(new PromptEvent.Begin(), Tomorrow);
        Assert.Equal([new PromptCommand.WakeAt(1_005)], On(new PromptEvent.Tick(), 5));
        Assert.Equal(new PromptCommand.CancelAsk(1), On(new PromptEvent.Tick(), 1_005)[0]);

        On(new PromptEvent.Tick(), Tomorrow);
        Assert.Equal([new PromptCommand.WakeAt(Tomorrow + 10)], On(new PromptEvent.EngineBusy(2), Tomorrow));
        Assert.Equal(Ask(3, null, 0, 1, 2), On(new PromptEvent.Tick(), 5)[0]);
        On(new PromptEvent.EngineBusy(3), Tomorrow);
        Assert.Equal(Ask(4, null, 0, 1, 2), On(new PromptEvent.Recover(), 5)[0]);
    }

    [Fact]
    public void Paused_it_keeps_what_comes_and_asks_for_no_more_until_it_goes_on()
    {
        On(new PromptEvent.Begin(), 0);
        Assert.Empty(On(new PromptEvent.Pause(), 0));
        Assert.Equal([new PromptCommand.Keep(0)], On(new PromptEvent.Answer(0, "a"), 0));
        Assert.DoesNotContain(On(new PromptEvent.AskFailed(1, "x", false), 0), c => c is PromptCommand.Ask or PromptCommand.WakeAt);
        Assert.Empty(On(new PromptEvent.Tick(), 10_000));
        Assert.Equal(Ask(2, "a", 1, 2), On(new PromptEvent.Continue(), 10_000)[0]);
    }

    [Fact]
    public void Cancelled_it_drops_what_comes()
    {
        On(new PromptEvent.Begin(), 0);
        On(new PromptEvent.Answer(0, "a"), 0);
        Assert.Equal([new PromptCommand.CancelAsk(1), new PromptCommand.Finish(1, 0, true)], On(new PromptEvent.Cancel(), 0));
        Assert.Equal([new PromptCommand.Drop(1, DropCause.Cancelled)], On(new PromptEvent.Answer(1, "a"), 0));
        Assert.Empty(On(new PromptEvent.Cancel(), 0));
        Assert.Equal([new PromptCommand.Finish(1, 0, true)], On(new PromptEvent.Begin(), 0));
    }

    private IReadOnlyList<PromptCommand> On(PromptEvent happened, long now)
    {
        var step = PromptRun.On(_state, happened, now, s_options);
        _state = step.State;
        return [.. step.Commands.Select(c => c is PromptCommand.Ask ask ? Ask(ask.Number, ask.Engine, [.. ask.Rows]) : c)];
    }

    // Arrays of equal content are equal here.
    private static PromptCommand Ask(int number, string? engine, params int[] rows) => new AskText(number, engine, string.Join(',', rows)).Command;

    private sealed record AskText(int Number, string? Engine, string Rows)
    {
        private static readonly Dictionary<AskText, PromptCommand> s_known = [];

        public PromptCommand Command
        {
            get
            {
                lock (s_known)
                    return s_known.TryGetValue(this, out var command) ? command
                        : s_known[this] = new PromptCommand.Ask(Number, [.. Rows.Split(',').Select(int.Parse)], Engine);
            }
        }
    }
}
