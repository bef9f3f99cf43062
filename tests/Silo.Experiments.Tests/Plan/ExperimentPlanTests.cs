using Silo.Core;
using Silo.Experiments.Generation;
using Silo.Experiments.Plan;
using Silo.Experiments.Spec;

namespace Silo.Experiments.Tests.Plan;

public class ExperimentPlanTests
{
    private static readonly ExperimentPlan s_plan = new(new ExperimentSpec
    {
        Prompts = [new Prompt("a", "one"), new Prompt("b", "two")],
        Temperatures = [1.5, 0.3],
        Samples = 2,
        MaxTokens = 10,
        Seed = 7,
    });

    [Fact]
    public void Texts_come_prompt_by_prompt_temperature_by_temperature_sample_by_sample() =>
        Assert.Equal(["a/t1.5-0", "a/t1.5-1", "a/t0.3-0", "a/t0.3-1", "b/t1.5-0", "b/t1.5-1", "b/t0.3-0", "b/t0.3-1"], s_plan.Keys().Select(k => k.ToString()));

    [Fact]
    public void Numbers_and_keys_lead_to_each_other()
    {
        for (long number = 0; number < s_plan.Count; number++)
        {
            var key = s_plan.Key(number);
            Assert.Equal(number, s_plan.Number(s_plan.PromptIndex(key.Prompt), s_plan.Row(key)));
        }
        Assert.Equal(-1, s_plan.PromptIndex("c"));
        Assert.Equal(-1, s_plan.Row(new GenerationKey("a", 1.5, 2)));
        Assert.Equal(-1, s_plan.Row(new GenerationKey("a", 0.31, 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => s_plan.Key(0, 4));
    }

    [Fact]
    public void A_request_asks_for_the_rows_with_their_own_random_streams()
    {
        var request = s_plan.Request(1, [3, 0]);
        Assert.Equal("two", request.Prompt);
        Assert.Equal([new GenerationKey("b", 0.3, 1), new GenerationKey("b", 1.5, 0)], request.Rows.Select(r => r.Key));
        Assert.All(request.Rows, r => Assert.Equal(r.Key.StreamKey("experiment", 7), r.StreamKey));
    }

    [Fact]
    public void An_experiment_without_prompts_has_no_plan() =>
        Assert.Throws<SiloException>(() => new ExperimentPlan(new ExperimentSpec()));

    [Fact]
    public void An_estimate_counts_what_the_plan_has()
    {
        var estimate = PlanEstimate.Of(s_plan, measures: 100, tokensPerSecond: 4);
        Assert.Equal((2, 8L, 80L, TimeSpan.FromSeconds(20)), (estimate.Prompts, estimate.Generations, estimate.Tokens, estimate.Time));
        Assert.Equal(8 * (600 + 800) + 80 * (12 + 110), estimate.Bytes);
        Assert.Null(PlanEstimate.Of(s_plan, 100, null).Time);
    }

    /// <summary>Bytes of run directories: 40 prompts at three temperatures, 200 tokens, 678 measures, one gold.</summary>
    [Theory]
    [InlineData(TraceKeeping.Own, 10_056_096)]
    [InlineData(TraceKeeping.None, 5_990_561)]
    public void The_disk_estimate_is_near_what_such_runs_took(TraceKeeping traces, long taken)
    {
        var plan = new ExperimentPlan(new ExperimentSpec { Prompts = [.. Enumerable.Range(0, 40).Select(i => new Prompt($"p{i}", "Once"))], Temperatures = [0.3, 0.8, 1.5], MaxTokens = 200, Traces = traces });
        var estimate = PlanEstimate.Of(plan, 678, null);
        Assert.InRange((double)(estimate.Bytes + estimate.TableBytes) / taken, 0.85, 1.15);
    }
}
