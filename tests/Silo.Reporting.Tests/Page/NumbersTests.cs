using Silo.Core.Statistics;
using Silo.Reporting.Page;

namespace Silo.Reporting.Tests.Page;

public class NumbersTests
{
    [Theory]
    [InlineData(0.42, 0.1, 0.6, "+0.42")]
    [InlineData(-0.426, -0.9, 0.1, "\u22120.43")]
    [InlineData(0.9184, 0.915, 0.9245, "+0.918")]
    [InlineData(0.0, -0.5, 0.5, "0.00")]
    [InlineData(1.0, 1.0, 1.0, "+1.000")]
    public void Rho_has_two_decimals_and_three_where_its_interval_is_narrow(double rho, double low, double high, string expected) =>
        Assert.Equal(expected, Numbers.Rho(rho, new Interval(low, high)));

    [Fact]
    public void What_is_not_zero_never_looks_like_zero()
    {
        Assert.Equal("[\u22120.003, +0.40]", Numbers.Range(new Interval(-0.003, 0.4)));
        Assert.Equal("0.04\u00A0%", Numbers.Percent(0.0004));
        Assert.Equal("< 0.0001", Numbers.P(0));
    }

    [Fact]
    public void What_is_undefined_says_so()
    {
        Assert.Equal("undefined", Numbers.Rho(null));
        Assert.Equal("undefined", Numbers.Range(null));
        Assert.Equal("undefined", Numbers.Percent(double.NaN));
        Assert.Equal("undefined", Numbers.P(null));
        Assert.Equal("undefined", Numbers.Quantity(double.NaN));
        Assert.Equal("undefined (n = 0)", Numbers.Full(new Experiments.Board.Estimate(null, null, 0, 3)));
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1.5, "1.50")]
    [InlineData(0.01234, "0.0123")]
    [InlineData(-9.999, "\u221210.0")]
    [InlineData(128_256, "128,256")]
    [InlineData(0.0000258, "2.58e\u22125")]
    public void A_quantity_has_three_significant_digits(double value, string expected) => Assert.Equal(expected, Numbers.Quantity(value));

    [Theory]
    [InlineData(0.05, "0.05")]
    [InlineData(95, "95")]
    [InlineData(10000, "10,000")]
    [InlineData(0.1 + 0.2, "0.3")]
    public void A_mark_has_no_trailing_zeros(double value, string expected) => Assert.Equal(expected, Numbers.Mark(value));

    [Fact]
    public void Rounding_to_digits_keeps_the_nearest_decimal()
    {
        Assert.Equal(0.1235, Numbers.Significant(0.12345678, 4));
        Assert.Equal(0, Numbers.Significant(0, 4));
        Assert.True(double.IsNaN(Numbers.Significant(double.NaN, 4)));
    }
}
