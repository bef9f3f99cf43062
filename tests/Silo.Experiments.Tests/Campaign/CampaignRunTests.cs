using Silo.Experiments.Campaign;

namespace Silo.Experiments.Tests.Campaign;

public class CampaignRunTests
{
    [Fact]
    public void A_campaign_of_a_hundred_thousand_prompts_remembers_no_more_than_its_window()
    {
        var state = CampaignState.Create(100_000, 8);
        var begun = new Queue<int>();
        Tell(new CampaignEvent.Begin());
        var ended = 0;
        while (begun.TryDequeue(out var prompt))
        {
            Tell(new CampaignEvent.PromptEnded(prompt, 3, 0));
            ended++;
            Assert.True(state.InFlight.Length <= 8);
        }
        Assert.Equal((100_000, CampaignStatus.Finished, 300_000L), (ended, state.Status, state.Kept));

        void Tell(CampaignEvent happened)
        {
            var step = CampaignRun.On(state, happened);
            state = step.State;
            foreach (var command in step.Commands)
                if (command is CampaignCommand.BeginPrompt begin) begun.Enqueue(begin.Prompt);
        }
    }

    [Fact]
    public void The_window_can_change_and_busy_engines_narrow_it_for_a_while()
    {
        var state = CampaignRun.On(CampaignState.Create(100, 4), new CampaignEvent.Begin()).State;
        state = CampaignRun.On(state, new CampaignEvent.EnginesBusy()).State;
        state = CampaignRun.On(state, new CampaignEvent.EnginesBusy()).State;
        Assert.Equal(2, state.Open);
        var step = CampaignRun.On(state, new CampaignEvent.PromptEnded(0, 1, 0));
        Assert.Empty(step.Commands);
        Assert.Equal(3, step.State.Open);
        step = CampaignRun.On(step.State, new CampaignEvent.SetWindow(6));
        Assert.Equal([4, 5, 6], step.Commands.OfType<CampaignCommand.BeginPrompt>().Select(c => c.Prompt));
        Assert.Equal([1, 2, 3, 4, 5, 6], step.State.InFlight);
    }

    [Fact]
    public void Cancelled_it_waits_for_the_prompts_in_flight_and_then_ends()
    {
        var state = CampaignRun.On(CampaignState.Create(9, 2), new CampaignEvent.Begin()).State;
        var step = CampaignRun.On(state, new CampaignEvent.Cancel());
        Assert.Equal([new CampaignCommand.CancelPrompt(0), new CampaignCommand.CancelPrompt(1)], step.Commands);
        step = CampaignRun.On(step.State, new CampaignEvent.PromptEnded(1, 2, 0));
        Assert.Empty(step.Commands);
        step = CampaignRun.On(step.State, new CampaignEvent.PromptEnded(0, 0, 0));
        Assert.Equal([new CampaignCommand.Finish(2, 0, true)], step.Commands);
        Assert.Equal([new CampaignCommand.Finish(2, 0, true)], CampaignRun.On(step.State, new CampaignEvent.Remind()).Commands);
    }
}
