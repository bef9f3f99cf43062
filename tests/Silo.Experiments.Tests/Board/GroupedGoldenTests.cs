using Silo.Core.Statistics;
using Silo.Experiments.Board;

namespace Silo.Experiments.Tests.Board;

/// <summary>The golden grouped statistics (SCHEMA 5.2) through the board, signs turned.</summary>
public class GroupedGoldenTests
{
    [Fact]
    public void The_board_reproduces_the_golden_grouped_statistics()
    {
        foreach (var set in Golden.Load("statistics.json").Items("grouped"))
        {
            var name = set.Text("name");
            var board = new CorrelationBoard(Boards.Design("x"));
            foreach (var (index, prompt) in set.Items("prompts").Index())
            {
                board.Texts($"p{index:000}", prompt.Numbers("feature"));
                board.Rank($"p{index:000}", "r", prompt.Numbers("gold"));
            }
            var table = board.Read();
            var result = table.Result("mean_rank", "x");
            Golden.Close(-set.Number("within_prompt_mean_rho"), result.RhoWithin, name);
            Golden.Close(-set.Number("within_prompt_mean_tau_b"), result.TauWithin, name);
            Golden.Close(-set.Number("pooled_rho"), result.PooledRho, name);
            Golden.Close(-set.Number("pooled_within_rank_rho"), result.PooledWithinRankRho, name);
            Assert.Equal((set.Whole("n_defined"), set.Whole("n_undefined")), (result.NDefined, result.NUndefined));
            if (set.GetProperty("bootstrap") is { ValueKind: System.Text.Json.JsonValueKind.Object } bootstrap)
            {
                var tolerance = bootstrap.Number("tolerance")!.Value;
                Assert.Equal(-bootstrap.Number("upper")!.Value, result.Ci!.Value.Lower, tolerance);
                Assert.Equal(-bootstrap.Number("lower")!.Value, result.Ci!.Value.Upper, tolerance);
            }
        }
    }

    [Fact]
    public void Rho_untied_is_the_mean_over_all_ways_to_break_the_measures_ties()
    {
        var board = new CorrelationBoard(Boards.Design("x"));
        board.Texts("p", 1, 1, 2);
        board.Rank("p", "r", 1, 2, 3);
        var broken = new[] { new[] { 1.0, 2, 3 }, [2, 1, 3] }.Average(x => Spearman.Rho(x, [-1, -2, -3])!.Value);
        Golden.Close(broken, board.Read().Result("mean_rank", "x").RhoUntied, "rho_untied");
    }
}
