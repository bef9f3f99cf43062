using Silo.Experiments.Board;
using Silo.Experiments.Controls;
using Silo.Experiments.Measures;

namespace Silo.Experiments.Tests.Board;

public class TwinTests
{
    [Fact]
    public void A_measure_names_its_twins_and_a_twin_its_measure()
    {
        var catalog = MeasureCatalog.For(new MeasureCatalogOptions { ReferenceTemperatures = [0.8, 1.5] });
        var board = new CorrelationBoard(new BoardDesign { Measures = catalog.Measures, Resamples = 10, SignFlips = 10 });
        var values = new double[catalog.Measures.Count];
        board.SetTexts("p", [Boards.At(0.3, "a", values), Boards.At(0.3, "b", values)]);
        board.Rank("p", "r", 1, 2);
        var table = board.Read();
        Assert.Equal(["leak@0.8.mean", "leak@1.5.mean"], table.Result("mean_rank", "leak.mean").Twins);
        Assert.Equal("captured.leak.p90", table.Result("mean_rank", "captured.leak@1.5.p90").TwinOf);
        Assert.Empty(table.Result("mean_rank", "entropy_p.mean").Twins);
        // One temperature only: the controls of temperature are there, and say nothing.
        Assert.Equal("the same for all ranked texts of a prompt", table.Controls.Single(c => c.Name == Control.Temperature.Name).Missing);
        Assert.Equal("not known", table.Controls.Single(c => c.Name == Control.Length.Name).Missing);
    }
}
