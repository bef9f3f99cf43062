using FsCheck;
using FsCheck.Fluent;
using Silo.Reporting.Charts;

namespace Silo.Reporting.Tests.Charts;

public class AxisTests
{
    [Fact]
    public void A_linear_axis_holds_its_data_and_has_a_few_round_marks() =>
        Prop.ForAll(Gen.Choose(-100_000, 100_000).Two().ToArbitrary(), pair =>
        {
            var (low, high) = (Math.Min(pair.Item1, pair.Item2) / 997.0, Math.Max(pair.Item1, pair.Item2) / 997.0);
            var axis = Axis.Linear(low, high);
            return axis.Ticks.Count is >= 2 and <= 7 && axis.Ticks[0].Value <= low + 1e-9 && axis.Ticks[^1].Value >= high - 1e-9
                && axis.Place(low) is >= 0 and <= 1 && axis.Place(low) <= axis.Place(high);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 4096)]
    [InlineData(0, 0)]
    public void A_logarithmic_axis_covers_whole_decades(double low, double high)
    {
        var axis = Axis.Log(low, high);
        Assert.Equal(0, axis.Place(axis.Ticks[0].Value), 1e-12);
        Assert.Equal(1, axis.Place(axis.Ticks[^1].Value), 1e-12);
        Assert.True(axis.Ticks.Count >= 2);
    }

    [Fact]
    public void Equal_ratios_are_equal_distances() =>
        Assert.Equal(Axis.Log(1, 100).Place(10), Axis.Marked(0, 2, []).Place(1), 1e-12);

    [Fact]
    public void What_lies_outside_stays_at_the_edge()
    {
        Assert.Equal(0, Axis.Share().Place(-3));
        Assert.Equal(1, Axis.Correlation(0).Place(7));
    }

    [Fact]
    public void A_correlations_axis_goes_down_to_minus_one_only_where_data_do()
    {
        Assert.Equal(0, Axis.Correlation(-0.2).Place(-0.5));
        Assert.Equal(0.25, Axis.Correlation(-0.6).Place(-0.5));
    }

    [Fact]
    public void Temperatures_go_from_cool_to_hot() => Assert.Equal([0, 4, 7], Enumerable.Range(0, 3).Select(i => Palette.Step(i, 3)));
}
