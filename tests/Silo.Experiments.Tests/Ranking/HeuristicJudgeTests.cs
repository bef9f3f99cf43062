using Silo.Experiments.Ranking;

namespace Silo.Experiments.Tests.Ranking;

public class HeuristicJudgeTests
{
    private const string Plain = "The old man walked down to the sea and looked at the boats, and then the rain came over the hill while a dog slept.";

    private static readonly JudgedText[] s_texts =
    [
        new("p", "good", "A dog came down the hill to the old boats, and the man looked at the rain while the sea slept, and then he walked over."),
        new("p", "loop", "The old man walked down to the sea. The old man walked down to the sea. The old man walked down to the sea. The old man walked down."),
        new("p", "noise", "Glorp vexx the qumble zarf wibbet, ronk a fliddle shorp mibb crundle yast, dweeb onk trazzle, blim pok grubbin vost ek narlo."),
        new("q", "other", Plain),
    ];

    private static Dictionary<string, double> RanksOf(IEnumerable<JudgedText> texts, string prompt) =>
        new HeuristicJudge(texts).Rank(prompt).ToDictionary(r => r.Item, r => r.Rank!.Value);

    [Fact]
    public void Known_words_without_repetition_rank_first_and_made_up_words_last()
    {
        var ranks = RanksOf(s_texts, "p");
        Assert.Equal((1, 2, 3), (ranks["good"], ranks["loop"], ranks["noise"]));
    }

    [Fact]
    public void The_order_in_which_texts_are_read_has_no_influence() =>
        Assert.Equal(new HeuristicJudge(s_texts).RankAll().ToHashSet(), new HeuristicJudge(s_texts.Reverse()).RankAll().ToHashSet());

    [Fact]
    public void Equal_texts_tie_and_an_empty_text_is_last()
    {
        var ranks = RanksOf([new("p", "a", Plain), new("p", "b", Plain), new("p", "c", ""), new("q", "d", Plain)], "p");
        Assert.Equal((1.5, 1.5, 3), (ranks["a"], ranks["b"], ranks["c"]));
    }

    [Fact]
    public void Its_events_name_it_as_rater_and_as_panel() =>
        Assert.All(new HeuristicJudge(s_texts).RankAll(revision: 4), r => Assert.Equal(("heuristic", "heuristic", 4), (r.Rater, r.Panel, r.Revision)));
}
