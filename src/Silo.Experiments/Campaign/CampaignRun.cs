using System.Collections.Immutable;

namespace Silo.Experiments.Campaign;

/// <summary>The state after an event, and what is to be done.</summary>
/// <param name="State">The new state.</param>
/// <param name="Commands">What is to be done, in order; often nothing.</param>
public readonly record struct CampaignStep(CampaignState State, IReadOnlyList<CampaignCommand> Commands);

/// <summary>
/// A campaign on its way through all prompts: a pure function from state and event to state and commands. Prompts are
/// begun in plan order, at most a window of them at once, and each end is counted once.
/// </summary>
public static class CampaignRun
{
    /// <summary>Takes an event.</summary>
    /// <param name="state">The state so far.</param>
    /// <param name="happened">What happened.</param>
    public static CampaignStep On(CampaignState state, CampaignEvent happened)
    {
        var commands = new List<CampaignCommand>();
        state = happened switch
        {
            CampaignEvent.Begin => state.Status == CampaignStatus.New ? state with { Status = CampaignStatus.Running } : state,
            CampaignEvent.Remind => Remind(state, commands),
            CampaignEvent.PromptEnded ended => Ended(state, ended),
            CampaignEvent.EnginesBusy => state with { Open = Math.Max(1, Math.Min(state.Open, state.InFlight.Length) - 1) },
            CampaignEvent.SetWindow set => SetWindow(state, set.Window),
            CampaignEvent.Pause => Pause(state, commands),
            CampaignEvent.Continue => Continue(state, commands),
            CampaignEvent.Cancel => Cancel(state, commands),
            _ => throw new ArgumentException($"unknown event {happened}", nameof(happened)),
        };
        return new CampaignStep(GoOn(state, commands), commands);
    }

    private static CampaignState GoOn(CampaignState state, List<CampaignCommand> commands)
    {
        if (state.Status == CampaignStatus.Running)
        {
            var begun = Math.Max(0, Math.Min(state.Open - state.InFlight.Length, state.Prompts - state.Next));
            if (begun > 0)
            {
                var prompts = Enumerable.Range(state.Next, begun).ToArray();
                commands.AddRange(prompts.Select(p => new CampaignCommand.BeginPrompt(p)));
                state = state with { Next = state.Next + begun, InFlight = state.InFlight.AddRange(prompts) };
            }
        }
        var end = state.Status switch
        {
            CampaignStatus.Running or CampaignStatus.Paused when state.Ended == state.Prompts => CampaignStatus.Finished,
            CampaignStatus.Cancelling when state.InFlight.IsEmpty => CampaignStatus.Cancelled,
            _ => state.Status,
        };
        if (end == state.Status) return state;
        state = state with { Status = end };
        TellEnd(state, commands);
        return state;
    }

    private static CampaignState Remind(CampaignState state, List<CampaignCommand> commands)
    {
        if (state.Status is CampaignStatus.Finished or CampaignStatus.Cancelled) TellEnd(state, commands);
        foreach (var prompt in state.InFlight)
            commands.Add(state.Status switch
            {
                CampaignStatus.Cancelling => new CampaignCommand.CancelPrompt(prompt),
                CampaignStatus.Paused => new CampaignCommand.PausePrompt(prompt),
                _ => new CampaignCommand.BeginPrompt(prompt),
            });
        return state;
    }

    private static CampaignState Ended(CampaignState state, CampaignEvent.PromptEnded ended)
    {
        var place = state.InFlight.BinarySearch(ended.Prompt);
        return place < 0 ? state : state with
        {
            InFlight = state.InFlight.RemoveAt(place),
            Ended = state.Ended + 1,
            Kept = state.Kept + ended.Kept,
            Failed = state.Failed + ended.Failed,
            Open = Math.Min(state.Window, state.Open + 1),
        };
    }

    private static CampaignState SetWindow(CampaignState state, int window)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 1);
        return state with { Window = window, Open = window };
    }

    private static CampaignState Pause(CampaignState state, List<CampaignCommand> commands)
    {
        if (state.Status is not (CampaignStatus.Running or CampaignStatus.New)) return state;
        foreach (var prompt in state.InFlight) commands.Add(new CampaignCommand.PausePrompt(prompt));
        return state with { Status = CampaignStatus.Paused };
    }

    private static CampaignState Continue(CampaignState state, List<CampaignCommand> commands)
    {
        if (state.Status != CampaignStatus.Paused) return state;
        foreach (var prompt in state.InFlight) commands.Add(new CampaignCommand.ContinuePrompt(prompt));
        return state with { Status = CampaignStatus.Running };
    }

    private static CampaignState Cancel(CampaignState state, List<CampaignCommand> commands)
    {
        if (state.Status is CampaignStatus.Finished or CampaignStatus.Cancelled or CampaignStatus.Cancelling) return state;
        foreach (var prompt in state.InFlight) commands.Add(new CampaignCommand.CancelPrompt(prompt));
        return state with { Status = CampaignStatus.Cancelling };
    }

    private static void TellEnd(CampaignState state, List<CampaignCommand> commands) =>
        commands.Add(new CampaignCommand.Finish(state.Kept, state.Failed, state.Status == CampaignStatus.Cancelled));
}
