using Silo.Experiments.Board;
using Silo.Experiments.Controls;
using Silo.Experiments.Tests.Board;

namespace Silo.Experiments.Tests.Controls;

public class ControlTests
{
    [Theory]
    [InlineData(3, 2, 1, 1.0)] // the hotter, the better
    [InlineData(1, 2, 3, 1.0)] // the colder, the better
    [InlineData(3, 1, 2, 2 / 3.0)] // better with T on the whole, but not from .8 to 1.5
    [InlineData(1, 3, 2, 2 / 3.0)]
    public void A_control_is_taken_the_way_that_serves_it_in_its_pairs_too(double cold, double middle, double hot, double accuracy)
    {
        double[] temperatures = [0.3, 0.8, 1.5];
        var board = new CorrelationBoard(Boards.Design("x") with { Temperatures = temperatures });
        for (var p = 0; p < 4; p++)
        {
            board.SetTexts($"p{p}", [.. temperatures.Select((t, i) => Boards.At(t, Boards.Item(i), i))]);
            board.Rank($"p{p}", "r", cold, middle, hot);
        }
        var control = board.Read().Result("mean_rank", Control.Temperature.Name);
        Assert.Equal(accuracy, control.PairAccuracy.Single(a => a.Low is null).Accuracy!.Value, 1e-12);
        Assert.Equal(1.0, control.PairAccuracy.Single(a => a is { Low: 0.3, High: 1.5 }).Accuracy);
    }
}
