using FsCheck;
using FsCheck.Fluent;
using Silo.Core.Numerics;

namespace Silo.Core.Tests.Numerics;

public class ExactSumTests
{
    private static readonly Arbitrary<double[]> s_values =
        ArbMap.Default.GeneratorFor<int>().Two().Select(p => p.Item1 % 2000 / (1.0 + Math.Abs((double)p.Item2))).ArrayOf().ToArbitrary();

    private static ExactSum Of(IEnumerable<double> values) => values.Aggregate(default(ExactSum), (sum, x) => sum.Add(x));

    [Fact]
    public void The_order_does_not_matter() => Prop.ForAll(s_values, values =>
        Of(values) == Of(values.Reverse()) && Of(values) == Of(values.Order())).QuickCheckThrowOnFailure();

    [Fact]
    public void Removing_in_any_order_restores_the_bits() => Prop.ForAll(s_values, s_values, (kept, passing) =>
        passing.Order().Aggregate(Of(passing.Concat(kept)), (sum, x) => sum.Remove(x)) == Of(kept)).QuickCheckThrowOnFailure();

    [Fact]
    public void Shards_merge_to_the_whole() => Prop.ForAll(s_values, s_values, (a, b) =>
        Of(a).Merge(Of(b)) == Of(b.Concat(a))).QuickCheckThrowOnFailure();

    [Fact]
    public void Sums_are_exact_where_doubles_are_not()
    {
        Assert.Equal(1e-8 * 3, Of([1e4, 1e-8, -1e4, 1e-8, 1e-8]).Sum, 1e-24);
        Assert.Equal(0.1, Of(Enumerable.Repeat(0.1, 10)).Mean);
        Assert.Equal(-0.5, Of([1, -2, -0.5]).Mean);
    }

    [Fact]
    public void The_mean_of_nothing_is_undefined()
    {
        Assert.Null(default(ExactSum).Mean);
        Assert.Equal(default, default(ExactSum).Add(0.3).Remove(0.3));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-65537.0)]
    public void What_cannot_be_summed_is_refused(double value) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => default(ExactSum).Add(value));
}
