using FsCheck;
using FsCheck.Fluent;
using Silo.Core.Numerics;
using Silo.Core.Statistics;

namespace Silo.Core.Tests.Statistics;

public class SignFlipTests
{
    [Fact]
    public void Golden_tests()
    {
        foreach (var test in GoldenStatistics.Section("sign_flip"))
        {
            string name = test.Text("name");
            var differences = test.Numbers("differences");
            var actual = SignFlip.Test(differences, CounterRandom.Create(1))!.Value;
            Assert.Equal(differences.Length <= 20, actual.Exact);
            double tolerance = actual.Exact ? 1e-12 : 0.015;
            Golden.Close(test.Number("p_two_sided"), actual.PTwoSided, name + " two-sided", tolerance);
            Golden.Close(test.Number("p_greater"), actual.PGreater, name + " greater", tolerance);
            if (!actual.Exact) continue;
            long zeros = 1L << differences.Count(d => d == 0);
            Assert.Equal(test.GetProperty("count_two_sided").GetInt64(), zeros * actual.CountTwoSided);
            Assert.Equal(test.GetProperty("count_greater").GetInt64(), zeros * actual.CountGreater);
            Assert.Equal(test.GetProperty("n_assignments").GetInt64(), zeros * actual.Assignments);
        }
    }

    [Fact]
    public void Counts_are_those_over_all_sign_vectors() => Prop.ForAll(
        Gen.Choose(-4, 4).ArrayOf().Resize(9).Where(d => d.Length > 0).ToArbitrary(), differences =>
    {
        var nonZero = differences.Where(d => d != 0).ToArray();
        int observed = nonZero.Sum(), twoSided = 0, greater = 0;
        for (int signs = 0; signs < 1 << nonZero.Length; signs++)
        {
            int sum = nonZero.Select((d, i) => (signs >> i & 1) == 0 ? d : -d).Sum();
            if (Math.Abs(sum) >= Math.Abs(observed)) twoSided++;
            if (sum >= observed) greater++;
        }
        var actual = SignFlip.Test([.. differences.Select(d => (double)d)], default)!.Value;
        return (actual.CountTwoSided, actual.CountGreater) == (twoSided, greater);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_random_test_agrees_with_the_exact_one_of_equal_differences()
    {
        // 26 differences of one size: the number of positive signs is binomial; 18 of 26 were positive.
        double[] differences = [.. Enumerable.Range(0, 26).Select(i => i < 18 ? 0.25 : -0.25)];
        double tail = 0, choose = 1;
        for (int k = 26; k >= 18; k--)
        {
            tail += choose / Math.Pow(2, 26);
            choose = choose * k / (27 - k);
        }
        var actual = SignFlip.Test(differences, CounterRandom.Create(5), draws: 100_000)!.Value;
        Assert.False(actual.Exact);
        Assert.Equal(tail, actual.PGreater, 0.005);
        Assert.Equal(2 * tail, actual.PTwoSided, 0.005);
    }

    [Fact]
    public void Zeros_do_not_make_a_test_random() =>
        Assert.Equal(0.5, SignFlip.Test([.. Enumerable.Repeat(0.0, 1000), 1], default)!.Value.PGreater);

    [Fact]
    public void Without_differences_there_is_no_test()
    {
        Assert.Null(SignFlip.Test([], default));
        Assert.Throws<ArgumentException>(() => SignFlip.Test([double.NaN], default));
    }
}
