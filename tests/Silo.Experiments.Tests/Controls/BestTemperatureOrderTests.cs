using Silo.Experiments.Board;
using Silo.Experiments.Controls;
using Silo.Experiments.Tests.Board;

namespace Silo.Experiments.Tests.Controls;

public class BestTemperatureOrderTests
{
    private static readonly double[] s_temperatures = [0.3, 0.8, 1.5];

    private static MeasureResult Best(params double[][] ranks) => Best(s_temperatures, ranks);

    private static MeasureResult Best(double[] temperatures, double[][] ranks)
    {
        var board = new CorrelationBoard(Boards.Design("x") with { Temperatures = temperatures });
        for (var p = 0; p < ranks.Length; p++)
        {
            board.SetTexts($"p{p:00}", [.. temperatures.Select((t, i) => Boards.At(t, Boards.Item(i), i))]);
            board.Rank($"p{p:00}", "r", ranks[p]);
        }
        return board.Read().Result("mean_rank", Control.TemperatureBest.Name);
    }

    [Fact]
    public void An_order_that_is_not_monotone_in_temperature_is_found()
    {
        // .8 first, then 1.5, then .3, in every prompt.
        var best = Best([.. Enumerable.Repeat(new double[] { 3, 1, 2 }, 10)]);
        Assert.Equal(1, best.RhoWithin);
        Assert.Equal(1, best.PairAccuracy.Single(a => a is { Low: 0.3, High: 1.5 }).Accuracy);
    }

    [Fact]
    public void Temperatures_are_tied_where_that_ranks_better()
    {
        // Half of the prompts prefer .3, half .8, one ties them: tying is right for all, sqrt(3)/2 each and 1 for the tie.
        var best = Best([[1, 2, 3], [2, 1, 3], [1, 2, 3], [2, 1, 3], [1, 2, 3], [2, 1, 3], [1.5, 1.5, 3]]);
        Golden.Close((6 * Math.Sqrt(0.75) + 1) / 7, best.RhoWithin, "tied order");
    }

    [Fact]
    public void A_prompt_has_no_say_in_the_order_it_is_judged_by()
    {
        // Each is judged by what the other says.
        Assert.Equal(-1, Best([1, 2, 3], [3, 2, 1]).RhoWithin);
        Assert.Null(Best([[1, 2, 3]]).RhoWithin);
    }

    [Fact]
    public void It_equals_the_search_through_all_weak_orders_without_the_prompt()
    {
        double[][] weak = [.. from a in Enumerable.Range(0, 3) from b in Enumerable.Range(0, 3) from c in Enumerable.Range(0, 3)
                              where !(a == b && b == c) select new double[] { a, b, c }];
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            double[][] ranks = [.. Enumerable.Range(0, 9).Select(_ => s_temperatures.Select(t => (double)random.Next(3)).ToArray())];
            double total = 0;
            var defined = 0;
            for (var p = 0; p < ranks.Length; p++)
            {
                var scores = weak.Select(w => ranks.Index().Where(r => r.Index != p).Sum(r => Rho(w, r.Item) ?? 0)).ToArray();
                // Of equally good orders any may be chosen; the test takes only seeds where the best is one up to its spacing.
                var chosen = weak.Zip(scores).Where(w => w.Second > scores.Max() - 1e-9).Select(w => Rho(w.First, ranks[p])).Distinct().ToArray();
                if (chosen.Length > 1) goto next;
                if (chosen[0] is not { } rho) continue;
                total += rho;
                defined++;
            }
            Golden.Close(total / defined, Best(ranks).RhoWithin, $"seed {seed}");
            _compared++;
        next:;
        }
        Assert.True(_compared > 3, $"{_compared} compared");
    }

    private int _compared;

    private static double? Rho(double[] scores, double[] ranks) => Core.Statistics.Spearman.Rho(scores, [.. ranks.Select(r => -r)]);
}
