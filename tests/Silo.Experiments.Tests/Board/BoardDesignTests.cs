using Silo.Experiments.Board;
using Silo.Experiments.Measures;
using Silo.Experiments.Spec;

namespace Silo.Experiments.Tests.Board;

public class BoardDesignTests
{
    [Fact]
    public void A_spec_gives_its_seed_and_its_temperatures_in_order_up_to_ten()
    {
        var measures = new[] { Measure.OfColumn("x") };
        var spec = new ExperimentSpec { Seed = 9, Temperatures = [1.5, 0.3] };
        var design = BoardDesign.Of(spec, measures);
        Assert.Equal((9UL, measures), (design.Seed, design.Measures));
        Assert.Equal([0.3, 1.5], design.Temperatures);
        Assert.Equal(10, BoardDesign.Of(spec with { Temperatures = [.. Enumerable.Range(1, 10).Select(t => t / 10.0)] }, measures).Temperatures.Count);
        Assert.Empty(BoardDesign.Of(spec with { Temperatures = [.. Enumerable.Range(1, 11).Select(t => t / 10.0)] }, measures).Temperatures);
    }
}
