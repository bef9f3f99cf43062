using Silo.Core.Statistics;
using Silo.Experiments.Board;
using Silo.Experiments.Controls;
using Silo.Experiments.Measures;
using Silo.Experiments.Ranking;
using Silo.Experiments.Tests.Board;

namespace Silo.Experiments.Tests.Controls;

public class VerdictRuleTests
{
    private static readonly BoardDesign s_design = Boards.Design("x");

    private static Difference To(string control, double mean, double low, double high, double p, int n = 50) => new()
    {
        To = control,
        Kind = MeasureKind.Control,
        Defined = new(mean, new Interval(low, high), p, n),
        UndefinedAsZero = new(mean, new Interval(low, high), p, n),
    };

    [Fact]
    public void Better_is_only_what_beats_every_control()
    {
        Difference[] all = [To("a", 0.3, 0.2, 0.4, 0.001), To("b", 0.2, 0.1, 0.3, 0.004)];
        Assert.Equal(0.004, VerdictRule.LargestP(all));
        Assert.Equal(Verdict.Better, VerdictRule.Decide(all, 0.04, s_design).Verdict);
        Assert.Equal(Verdict.Undecided, VerdictRule.Decide(all, 0.06, s_design).Verdict);
    }

    [Fact]
    public void A_small_p_with_an_interval_that_holds_0_decides_nothing() =>
        Assert.Equal(Verdict.Undecided, VerdictRule.Decide([To("a", 0.3, 0.2, 0.4, 0.001), To("b", 0.06, -0.01, 0.1, 0.03)], 0.03, s_design).Verdict);

    [Fact]
    public void Not_better_is_what_one_control_surely_reaches_within_the_margin()
    {
        Assert.Equal(Verdict.NotBetter, VerdictRule.Decide([To("a", 0.3, 0.2, 0.4, 0.001), To("b", 0, -0.04, 0.04, 0.5)], 1, s_design).Verdict);
        Assert.Equal(Verdict.Undecided, VerdictRule.Decide([To("a", 0.3, 0.2, 0.4, 0.001), To("b", 0, -0.04, 0.06, 0.5)], 1, s_design).Verdict);
        Assert.Equal(Verdict.NotBetter, VerdictRule.Decide([To("b", 0, -0.04, 0.06, 0.5)], 1, s_design with { Margin = 0.1 }).Verdict);
    }

    [Fact]
    public void Both_forms_of_the_difference_must_agree()
    {
        var difference = To("a", 0.3, 0.2, 0.4, 0.001);
        var abstains = difference with { UndefinedAsZero = new(0, new Interval(-0.1, 0.1), 0.5, 80) };
        Assert.Equal(0.5, VerdictRule.LargestP([abstains]));
    }

    [Fact]
    public void A_control_defined_on_few_prompts_is_held_against_by_the_form_that_counts_all()
    {
        // Two prompts of fifty have it: its own sign-flip test could never fall below 0.25.
        var few = To("b", 0.5, -0.1, 1, 0.25, n: 2) with { UndefinedAsZero = new(0.6, new Interval(0.5, 0.7), 0.001, 50) };
        Assert.Equal(0.001, VerdictRule.LargestP([few]));
        Assert.Equal(Verdict.Better, VerdictRule.Decide([To("a", 0.3, 0.2, 0.4, 0.001), few], 0.04, s_design).Verdict);
        var enough = few with { Defined = few.Defined with { N = VerdictRule.FewestPrompts } };
        Assert.Equal(Verdict.Undecided, VerdictRule.Decide([To("a", 0.3, 0.2, 0.4, 0.001), enough], 0.04, s_design).Verdict);
    }

    [Fact]
    public void Baselines_are_shown_and_do_not_count()
    {
        Difference[] differences = [To("a", 0.3, 0.2, 0.4, 0.001), To("b", -0.3, -0.4, -0.2, 1) with { Kind = MeasureKind.Baseline }];
        Assert.Equal(0.001, VerdictRule.LargestP(differences));
        Assert.Equal(Verdict.Better, VerdictRule.Decide(differences, 0.001, s_design).Verdict);
    }

    [Fact]
    public void Nothing_is_decided_without_controls_or_with_four_prompts()
    {
        Assert.Equal(Verdict.Undecided, VerdictRule.Decide([], null, s_design).Verdict);
        Assert.Equal(Verdict.Undecided, VerdictRule.Decide([To("a", -1, -1, -1, 1, n: 4)], 1, s_design).Verdict);
    }

    [Fact]
    public void Needed_prompts_follow_the_formula()
    {
        // Differences of mean .2 and standard deviation .5, margin .05, one measure: ((1.645 + 0.842) .5 / .2)² = 38.6.
        double[] values = [.. Enumerable.Range(0, 20).Select(i => 0.2 + (i % 2 == 0 ? 0.5 : -0.5) * Math.Sqrt(19.0 / 20))];
        Assert.Equal((39, Verdict.Better), VerdictRule.PromptsNeeded([values], rated: 20, family: 1, s_design));
        // Half of the prompts undefined: twice as many.
        Assert.Equal((78, Verdict.Better), VerdictRule.PromptsNeeded([values], rated: 40, family: 1, s_design));
        // A mean of -.2: ((1.960 + 0.842) .5 / .25)² = 31.4.
        Assert.Equal((32, Verdict.NotBetter), VerdictRule.PromptsNeeded([[.. values.Select(v => v - 0.4)]], rated: 20, family: 1, s_design));
    }

    [Fact]
    public void A_control_turned_round_is_no_better_than_the_control()
    {
        // Short texts are ranked first; a measure that is minus the length is the length control itself.
        var board = new CorrelationBoard(Boards.Design("minus_length") with { Resamples = 500, SignFlips = 1000 });
        for (var p = 0; p < 30; p++)
        {
            board.SetTexts($"p{p}", [.. Enumerable.Range(0, 3).Select(i => new BoardText(Boards.Item(i), double.NaN, 10 * (i + 1), double.NaN, [-i]))]);
            board.Rank($"p{p}", "r", p % 5 == 0 ? [2, 1, 3] : [1, 2, 3]);
        }
        var result = board.Read().Result("mean_rank", "minus_length");
        Assert.Equal((Verdict.NotBetter, 0.0), (result.Verdict, result.Differences.Single(d => d.To == Control.Length.Name).Defined.Mean));
    }

    [Fact]
    public void An_exploratory_measure_has_no_verdict_and_does_not_widen_the_family()
    {
        var design = s_design with { Measures = [Measure.OfColumn("x"), Measure.OfColumn("y") with { Primary = false }] };
        var board = new CorrelationBoard(design);
        for (var p = 0; p < 10; p++)
        {
            board.SetTexts($"p{p}", [.. Enumerable.Range(0, 3).Select(i => Boards.At(i % 2, Boards.Item(i), -i, i))]);
            board.Apply(new RankEvent($"p{p}", "a", "r", null, 1));
            board.Apply(new RankEvent($"p{p}", "b", "r", null, 2));
            board.Apply(new RankEvent($"p{p}", "c", "r", null, 3));
        }
        var table = board.Read();
        Assert.Equal(1, table.Method.PrimaryFamily);
        Assert.Null(table.Result("mean_rank", "y").Verdict);
        Assert.NotNull(table.Result("mean_rank", "y").Differences[0].Defined.Ci);
        Assert.Equal(table.Result("mean_rank", "x").P, table.Result("mean_rank", "x").PHolm);
    }
}
