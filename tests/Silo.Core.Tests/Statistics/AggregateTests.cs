using Silo.Core.Statistics;

namespace Silo.Core.Tests.Statistics;

public class AggregateTests
{
    [Fact]
    public void Golden_series()
    {
        foreach (var series in Golden.Load("aggregates.json").Items("series"))
        {
            string name = series.Text("name");
            var values = series.Numbers("values");
            var actual = Aggregate.Compute(values, new double[values.Length])!.Value;
            Golden.Close(series.Number("mean"), actual.Mean, name + " mean");
            Golden.Close(series.Number("median"), actual.Median, name + " median");
            Golden.Close(series.Number("p10"), actual.P10, name + " p10");
            Golden.Close(series.Number("p90"), actual.P90, name + " p90");
            Golden.Close(series.Number("min"), actual.Min, name + " min");
            Golden.Close(series.Number("max"), actual.Max, name + " max");
            Golden.Close(series.Number("std"), actual.Std, name + " std");
        }
    }

    [Fact]
    public void A_constant_series_has_exactly_its_value_and_no_spread() =>
        Assert.Equal(new Aggregate(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0), Aggregate.Compute([0.1, 0.1, 0.1, 0.1, 0.1, 0.1], new double[6]));

    [Fact]
    public void Nothing_has_no_aggregate_and_NaN_is_refused()
    {
        Assert.Null(Aggregate.Compute([], []));
        Assert.Throws<ArgumentException>(() => Aggregate.Compute([1, double.NaN], new double[2]));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(25, 1.75)]
    [InlineData(50, 2.5)]
    [InlineData(100, 4)]
    public void Percentiles_interpolate_linearly(double percent, double expected) =>
        Assert.Equal(expected, Percentile.OfSorted([1, 2, 3, 4], percent));

    [Fact]
    public void A_percentile_needs_values_and_a_percentage()
    {
        Assert.Throws<ArgumentException>(() => Percentile.OfSorted([], 50));
        Assert.Throws<ArgumentOutOfRangeException>(() => Percentile.OfSorted([1], 100.5));
    }
}
