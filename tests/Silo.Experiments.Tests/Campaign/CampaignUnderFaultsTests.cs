using FsCheck;
using FsCheck.Fluent;
using Silo.Experiments.Campaign;

namespace Silo.Experiments.Tests.Campaign;

public sealed class CampaignUnderFaultsTests
{
    private static readonly Config s_runs = Config.QuickThrowOnFailure
        .WithMaxTest(Environment.GetEnvironmentVariable("SILO_LONG") == "1" ? 20_000 : 1_000).WithEndSize(400);

    private static readonly Arbitrary<int[]> s_choices = Gen.Choose(0, int.MaxValue - 1).ArrayOf().ToArbitrary();

    [Fact]
    public void Whatever_is_lost_doubled_or_delayed_the_end_and_the_digest_are_the_same()
    {
        var patient = new PromptRunOptions { Attempts = int.MaxValue };
        var undisturbed = new FaultyWorld(7, 3, 3, patient, []);
        undisturbed.Run();
        Assert.Equal(CampaignStatus.Finished, undisturbed.Campaign.Status);
        Assert.Equal(21, undisturbed.Campaign.Kept);
        Assert.All(undisturbed.TimesKept.Values, times => Assert.Equal(1, times));

        Prop.ForAll(s_choices, choices =>
        {
            var world = new FaultyWorld(7, 3, 3, patient, choices);
            world.Run();
            Assert.Equal(CampaignStatus.Finished, world.Campaign.Status);
            Assert.Equal((7, 21L, 0L), (world.Campaign.Ended, world.Campaign.Kept, world.Campaign.Failed));
            Assert.Equal(undisturbed.Digest(), world.Digest());
            for (var prompt = 0; prompt < 7; prompt++)
                for (var row = 0; row < 3; row++)
                    Assert.InRange(world.TimesKept[(prompt, row)], 1, 1 + world.Prompts[prompt].Restarts);
        }).Check(s_runs);
    }

    [Fact]
    public void Failures_are_tried_again_a_bounded_number_of_times_and_stay_with_their_reason() =>
        Prop.ForAll(s_choices, choices =>
        {
            var options = new PromptRunOptions { Attempts = 2 };
            var world = new FaultyWorld(5, 2, 2, options, choices) { EngineFails = true };
            world.Run();
            Assert.Equal(CampaignStatus.Finished, world.Campaign.Status);
            Assert.Equal(10, world.Campaign.Kept + world.Campaign.Failed);
            for (var prompt = 0; prompt < 5; prompt++)
                for (var row = 0; row < 2; row++)
                {
                    var state = world.Prompts[prompt].Rows[row];
                    Assert.Equal(state.Status == RowStatus.Kept, world.Kept.ContainsKey((prompt, row)));
                    Assert.InRange(state.Attempts, 0, 2);
                    if (state.Status != RowStatus.Failed) continue;
                    Assert.NotNull(state.Reason);
                    Assert.Contains(world.Failures, f => f.Prompt == prompt && f.Failure.Row == row && f.Failure.Final);
                }
        }).Check(s_runs);
}
