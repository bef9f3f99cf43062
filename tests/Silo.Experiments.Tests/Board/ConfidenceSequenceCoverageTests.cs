using Silo.Core.Numerics;
using Silo.Experiments.Board;

namespace Silo.Experiments.Tests.Board;

public class ConfidenceSequenceCoverageTests
{
    [Fact]
    public void Looked_at_after_every_prompt_the_band_misses_the_truth_less_often_than_five_in_a_hundred()
    {
        // Texts and ranks that have nothing to do with each other: the true mean rho is 0.
        int experiments = 400, missed = 0, falseAlarms = 0;
        for (var seed = 0; seed < experiments; seed++)
        {
            var board = new CorrelationBoard(Boards.Design("x") with { Seed = (ulong)seed, Resamples = 1, SignFlips = 1, Running = ["x"] });
            for (var p = 0; p < 60; p++)
            {
                var random = CounterRandom.Create((ulong)seed, $"coverage/{p}");
                board.Texts($"p{p}", random.UniformAt(0), random.UniformAt(1), random.UniformAt(2));
                board.Rank($"p{p}", "r", random.UniformAt(3), random.UniformAt(4), random.UniformAt(5));
            }
            var points = board.Read().Running.Single(r => r.Gold == "mean_rank").Points;
            Assert.Equal(60, points.Count);
            if (points.Any(p => p.Cs.Lower > 0 || p.Cs.Upper < 0)) missed++;
            // What a running interval for one look does when it is looked at sixty times.
            if (points.Skip(9).Any(p => Math.Abs(p.Rho) > 1.96 * Math.Sqrt(0.5 / p.N))) falseAlarms++;
        }
        Assert.True(missed <= 0.05 * experiments, $"{missed} of {experiments}");
        Assert.True(falseAlarms > 0.1 * experiments, $"{falseAlarms} of {experiments}");
    }
}
