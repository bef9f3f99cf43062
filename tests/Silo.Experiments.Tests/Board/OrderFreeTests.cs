using FsCheck;
using FsCheck.Fluent;
using Silo.Experiments.Board;
using Silo.Experiments.Ranking;

namespace Silo.Experiments.Tests.Board;

/// <summary>At any moment the board equals its recomputation from scratch, whatever came in whatever order.</summary>
public class OrderFreeTests
{
    private static readonly string[] s_prompts = ["p", "q", "r"], s_raters = ["A", "B", "C", "D"];

    /// <summary>Something that happens to a board: a rank, or a prompt's texts.</summary>
    private abstract record Step;

    private sealed record RankStep(RankEvent Event) : Step;

    private sealed record TextStep(string Prompt, double[] Values) : Step;

    private static readonly BoardDesign s_design = Boards.Design("x", "y") with { Temperatures = [0.3, 1.5], Resamples = 50, SignFlips = 50 };

    private static readonly Gen<Step> s_steps = Gen.Frequency(
        (8, from prompt in Gen.Elements(s_prompts)
            from item in Gen.Choose(0, 3)
            from rater in Gen.Elements(s_raters)
            from panel in Gen.Elements<string?>(null, null, "humans")
            from rank in Gen.Frequency((5, Gen.Choose(1, 3).Select(r => (double?)r)), (1, Gen.Constant((double?)null)))
            from revision in Gen.Choose(0, 3)
            select (Step)new RankStep(new(prompt, Boards.Item(item), rater, panel, rank, revision))),
        (1, from prompt in Gen.Elements(s_prompts)
            from values in Gen.Elements(1.0, 2.0, 0.1, 1e-9, double.NaN).ArrayOf(8)
            select (Step)new TextStep(prompt, values)));

    [Fact]
    public void After_every_step_the_sums_equal_those_of_a_new_board_with_the_same_facts() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(s_steps.ListOf(40).ToArbitrary(), steps =>
        {
            var board = new CorrelationBoard(s_design);
            var soFar = new List<Step>();
            foreach (var step in steps)
            {
                Take(board, step);
                soFar.Add(step);
                if (!board.Sums.SameAs(Replay(Facts(soFar)).Sums)) return false;
            }
            return true;
        }));

    [Fact]
    public void Any_order_of_the_same_events_reads_to_the_same_table() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(
            s_steps.ListOf(40).SelectMany(steps => Gen.Shuffle(Facts([.. steps]).ToArray()).Select(shuffled => (steps, shuffled))).ToArbitrary(), both =>
        {
            var (board, other) = (Replay(Facts([.. both.steps])), Replay(both.shuffled));
            return board.Sums.SameAs(other.Sums) && Json(board) == Json(other);
        }));

    [Fact]
    public void Boards_of_parts_of_the_events_merge_to_the_board_of_all() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(
            (from steps in s_steps.ListOf(40) from cut in Gen.Choose(0, 40) select (steps, cut)).ToArbitrary(), both =>
        {
            var facts = Facts([.. both.steps]);
            var cut = Math.Min(both.cut, facts.Count);
            var (left, right) = (Replay([.. facts.Take(cut)]), Replay([.. facts.Skip(cut)]));
            left.Merge(right);
            return left.Sums.SameAs(Replay(facts).Sums);
        }));

    [Fact]
    public void Sums_of_shards_merge_to_the_sums_of_all_prompts() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(s_steps.ListOf(60).ToArbitrary(), steps =>
        {
            var facts = Facts([.. steps]);
            var merged = new BoardSums(s_design);
            foreach (var prompt in s_prompts.Reverse())
                merged.Merge(Replay([.. facts.Where(f => PromptOf(f) == prompt)]).Sums);
            return merged.SameAs(Replay(facts).Sums);
        }));

    [Fact]
    public void An_event_seen_before_changes_nothing()
    {
        var board = new CorrelationBoard(s_design);
        var rank = new RankEvent("p", "a", "A", null, 2, 1);
        Assert.True(board.Apply(rank));
        Assert.False(board.Apply(rank));
        Assert.False(board.Apply(rank with { Rank = 1, Revision = 0 }));
        Assert.True(board.Apply(rank with { Rank = null, Revision = 2 }));
    }

    // Texts may change only from nothing: the last ones of each prompt count.
    private static List<Step> Facts(List<Step> steps) =>
        [.. steps.OfType<RankStep>(), .. steps.OfType<TextStep>().GroupBy(t => t.Prompt).Select(g => g.Last())];

    private static string PromptOf(Step step) => step is RankStep rank ? rank.Event.Prompt : ((TextStep)step).Prompt;

    private static CorrelationBoard Replay(IReadOnlyList<Step> steps)
    {
        var board = new CorrelationBoard(s_design);
        foreach (var step in steps) Take(board, step);
        return board;
    }

    private static void Take(CorrelationBoard board, Step step)
    {
        if (step is RankStep rank) board.Apply(rank.Event);
        else if (step is TextStep text)
            board.SetTexts(text.Prompt, [.. Enumerable.Range(0, 4).Select(i => Boards.At(i < 2 ? 0.3 : 1.5, Boards.Item(i), text.Values[2 * i], text.Values[2 * i + 1]))]);
    }

    private static string Json(CorrelationBoard board) => System.Text.Json.JsonSerializer.Serialize(board.Read(), BoardJson.Default.BoardTable);
}
