using System.Text.Json;
using Silo.Core;
using Silo.Core.Numerics;
using Silo.Core.Statistics;
using Silo.Experiments.Board;
using Silo.Experiments.Controls;
using Silo.Experiments.Ranking;

namespace Silo.Experiments.Tests.Board;

public class BoardReadingTests
{
    private static CorrelationBoard Rated(int prompts, BoardDesign? design = null)
    {
        var board = new CorrelationBoard(design ?? Boards.Design("x"));
        for (var p = 0; p < prompts; p++)
        {
            var random = new Random(p);
            board.Texts($"p{p:000}", random.NextDouble(), random.NextDouble(), random.NextDouble());
            board.Rank($"p{p:000}", "r", [.. Enumerable.Range(1, 3).OrderBy(_ => random.Next()).Select(r => (double)r)]);
        }
        return board;
    }

    [Fact]
    public void An_undefined_rho_is_counted_and_an_unrated_prompt_is_another_thing()
    {
        var board = Rated(3);
        board.Texts("constant", 1, 1, 1);
        board.Rank("constant", "r", 1, 2, 3);
        board.Texts("missing", 1, double.NaN, 2);
        board.Rank("missing", "r", 1, 2, 3);
        board.Texts("unrated", 1, 2, 3);
        board.Texts("half", 1, 2, 3);
        board.Rank("half", "r", 1, 2);
        var result = board.Read().Result("mean_rank", "x");
        Assert.Equal((3, 2, 2), (result.NDefined, result.NUndefined, result.NUnrated));
        // The rater's own gold takes the two texts he ranked.
        Assert.Equal((4, 2, 1), (board.Read().Result("rater:r", "x").NDefined, board.Read().Result("rater:r", "x").NUndefined, board.Read().Result("rater:r", "x").NUnrated));
    }

    [Fact]
    public void One_prompt_has_no_interval()
    {
        var board = Rated(1);
        board.Rank("p000", "s", 1, 2, 3);
        board.Texts("constant", 1, 1, 1);
        board.Rank("constant", "r", 1, 2, 3);
        var table = board.Read();
        var result = table.Result("mean_rank", "x");
        Assert.Equal((1, (Interval?)null, Verdict.Undecided), (result.NDefined, result.Ci, result.Verdict));
        Assert.All(result.Differences, d => Assert.True(d.Defined.N == 1 == d.Defined.Ci is null));
        Assert.Null(table.Golds.Single(g => g.Name == "mean_rank").RaterAgainstRater!.Ci);
    }

    [Fact]
    public void Ranks_of_unknown_items_and_texts_without_ranks_are_counted()
    {
        var board = Rated(2);
        board.Apply(new RankEvent("p000", "zz", "r", null, 4));
        board.Apply(new RankEvent("never", "a", "r", null, 1));
        board.Texts("p001", 1, 2, 3, 4);
        var table = board.Read();
        Assert.Equal((2, 1), (table.UnmatchedRanks, table.UnrankedTexts));
    }

    [Fact]
    public void The_confidence_sequence_waits_for_an_unrated_prompt_until_it_is_closed()
    {
        var board = Rated(30);
        var order = Enumerable.Range(0, 30).Select(p => $"p{p:000}").OrderBy(p => PromptOrder.Place(7, p)).ToArray();
        Assert.Equal(30, board.Read().Result("mean_rank", "x").NCs);
        // A planned prompt in the middle of the order, drawn by nothing but seed and id.
        var late = Enumerable.Range(0, 1000).Select(i => $"late{i}")
            .First(p => PromptOrder.Place(7, p) > PromptOrder.Place(7, order[9]) && PromptOrder.Place(7, p) < PromptOrder.Place(7, order[20]));
        board.Plan(late);
        var waiting = board.Read();
        Assert.Equal(order.Count(p => PromptOrder.Place(7, p) < PromptOrder.Place(7, late)), waiting.Result("mean_rank", "x").NCs);
        Assert.Equal(late, waiting.Running.First(r => r.Gold == "mean_rank").WaitingFor);
        board.Close(late);
        Assert.Equal(30, board.Read().Result("mean_rank", "x").NCs);
    }

    [Fact]
    public void The_confidence_sequence_is_that_of_the_rhos_in_the_drawn_order()
    {
        var board = Rated(25);
        var expected = new ConfidenceSequence();
        foreach (var prompt in board.Prompts.OrderBy(p => p.Place)) expected.Add(prompt.Rows[0].Rho[Control.Columns.Count]);
        Assert.Equal(expected.Running, board.Read().Result("mean_rank", "x").Cs);
    }

    [Fact]
    public void Running_points_end_at_the_mean_and_mark_corrections()
    {
        var board = Rated(12);
        board.Apply(new RankEvent("p003", "a", "r", null, 2.5, 1));
        var table = board.Read();
        var series = table.Running.Single(r => r is { Gold: "mean_rank", Feature: "x" });
        Assert.Equal(12, series.Points.Count);
        Assert.Equal(table.Result("mean_rank", "x").RhoWithin!.Value, series.Points[^1].Rho, 1e-15);
        var place = board.Prompts.OrderBy(p => p.Place).Select(p => p.Prompt).ToList().IndexOf("p003") + 1;
        Assert.Equal([place], series.Corrected);
    }

    [Fact]
    public void Poisson_weights_give_the_intervals_of_large_boards()
    {
        var small = Rated(300);
        var large = Rated(300, Boards.Design("x") with { PoissonFrom = 100 });
        var (multinomial, poisson) = (small.Read(), large.Read());
        Assert.Equal(("multinomial", "poisson"), (multinomial.Method.Bootstrap, poisson.Method.Bootstrap));
        var (a, b) = (multinomial.Result("mean_rank", "x").Ci!.Value, poisson.Result("mean_rank", "x").Ci!.Value);
        Assert.Equal(a.Lower, b.Lower, 0.02);
        Assert.Equal(a.Upper, b.Upper, 0.02);
    }

    [Fact]
    public void Within_one_temperature_a_measure_of_temperature_alone_says_nothing()
    {
        var board = new CorrelationBoard(Boards.Design("temperature_alone", "quality") with { Temperatures = [0.3, 1.5] });
        for (var p = 0; p < 20; p++)
        {
            var random = new Random(p);
            var quality = Enumerable.Range(0, 6).Select(_ => random.NextDouble()).ToArray();
            board.SetTexts($"p{p}", [.. quality.Select((q, i) => Boards.At(i < 3 ? 0.3 : 1.5, Boards.Item(i), i < 3 ? 1 : 2, q))]);
            board.Rank($"p{p}", "r", [.. quality.Select(q => -q)]);
        }
        var table = board.Read();
        Assert.Equal(1, table.Result("mean_rank", "quality").WithinTemperature!.Mean);
        Assert.Equal((null, 0, 20), (table.Result("mean_rank", "temperature_alone").WithinTemperature!.Mean,
            table.Result("mean_rank", "temperature_alone").WithinTemperature!.NDefined, table.Result("mean_rank", "temperature_alone").WithinTemperature!.NUndefined));
        var pair = table.Result("mean_rank", "quality").PairAccuracy.Single(a => a.Low == 0.3);
        Assert.Equal((1.5, 180, 1.0), (pair.High, pair.NPairs, pair.Accuracy));
    }

    [Fact]
    public void Of_two_golds_each_is_held_against_the_other()
    {
        var board = new CorrelationBoard(Boards.Design("x"));
        for (var p = 0; p < 10; p++)
        {
            board.Texts($"p{p}", 1, 2, 3);
            board.Rank($"p{p}", "ann", 1, 2, 3);
            if (p < 6) board.Rank($"p{p}", "bob", 3, 2, 1);
        }
        var pair = board.Read().GoldPairs.Single(g => g is { A: "rater:ann", B: "rater:bob" });
        Assert.Equal((-1, 6, 0), (pair.Rho.Mean, pair.Rho.NDefined, pair.Rho.NUndefined));
    }

    [Fact]
    public void The_best_measure_is_chosen_on_one_half_and_reported_on_the_other()
    {
        string[] names = [.. Enumerable.Range(0, 40).Select(i => $"noise{i}")];
        var board = new CorrelationBoard(Boards.Design(names));
        for (var p = 0; p < 40; p++)
        {
            var random = CounterRandom.Create(1, $"halves/{p}");
            board.SetTexts($"p{p}", [.. Enumerable.Range(0, 3).Select(i => Boards.Text(Boards.Item(i), [.. names.Select((_, m) => random.UniformAt((ulong)i, (uint)m))]))]);
            board.Rank($"p{p}", "r", 1, 2, 3);
        }
        var choices = board.Read().BestByHalves.Where(c => c.Gold == "mean_rank").ToArray();
        Assert.Equal(2, choices.Length);
        // Of forty measures of nothing the best looks good where it was chosen, and is nothing elsewhere.
        Assert.All(choices, c => Assert.True(c.RhoChosen > 0.2 && c.Rho.Ci!.Value.Lower < 0.05, $"{c.RhoChosen} {c.Rho.Ci}"));
        Assert.Equal(40, choices.Sum(c => c.Rho.NDefined));
    }

    [Fact]
    public void The_json_has_the_contracts_keys_and_null_for_what_is_undefined()
    {
        var board = Rated(6);
        board.Rank("p000", "solo", double.NaN, double.NaN, 3);
        using var json = JsonDocument.Parse(JsonSerializer.Serialize(board.Read(), BoardJson.Default.BoardTable));
        var result = json.RootElement.GetProperty("results").EnumerateArray().Single(r => r.Text("feature") == "x" && r.Text("gold") == "mean_rank");
        foreach (var key in new[] { "rho_within", "rho_untied", "tau_within", "pooled_rho" }) Assert.Equal(JsonValueKind.Number, result.GetProperty(key).ValueKind);
        foreach (var key in new[] { "ci", "cs" }) Assert.Equal(2, result.GetProperty(key).GetArrayLength());
        foreach (var key in new[] { "n_defined", "n_undefined", "n_unrated" }) Assert.True(result.Whole(key) >= 0);
        Assert.Equal("undecided", result.Text("verdict"));
        var control = json.RootElement.GetProperty("results").EnumerateArray().First(r => r.Text("feature") == "control.temperature");
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (control.GetProperty("rho_within").ValueKind, control.GetProperty("ci").ValueKind));
    }

    [Fact]
    public void A_reading_without_exploratory_measures_says_the_same_of_the_primary_ones()
    {
        var design = Boards.Design("x", "y");
        design = design with { Measures = [design.Measures[0], design.Measures[1] with { Primary = false }] };
        var board = new CorrelationBoard(design);
        for (var p = 0; p < 12; p++)
        {
            var random = new Random(p);
            board.SetTexts($"p{p}", [.. Enumerable.Range(0, 3).Select(i => Boards.At(i, Boards.Item(i), random.NextDouble(), random.NextDouble()))]);
            board.Rank($"p{p}", "r", 1, 2, 3);
        }
        var (all, some) = (board.Read(), board.Read(exploratory: false));
        Assert.Null(all.Result("mean_rank", "y").Verdict);
        Assert.DoesNotContain(some.Results, r => r.Feature == "y");
        Assert.Equal(Line(all.Result("mean_rank", "x")), Line(some.Result("mean_rank", "x")));

        static string Line(MeasureResult result) => JsonSerializer.Serialize(result, BoardJson.Default.MeasureResult);
    }

    [Fact]
    public void An_item_that_stands_twice_is_refused() =>
        Assert.Throws<SiloException>(() => new CorrelationBoard(Boards.Design("x")).SetTexts("p", [Boards.Text("a", 1), Boards.Text("a", 2)]));

    [Fact]
    public void An_empty_board_reads_to_an_empty_table()
    {
        var table = new CorrelationBoard(Boards.Design("x")).Read();
        Assert.Empty(table.Results);
        Assert.Equal(0, table.Prompts);
    }
}
