using FsCheck;
using FsCheck.Fluent;
using Silo.Core.Statistics;

namespace Silo.Core.Tests.Statistics;

public class RankCorrelationTests
{
    // Small integers: ties are frequent. Lengths on both sides of the switch from counting to sorting.
    private static readonly Arbitrary<(double X, double Y)[]> s_series =
        Gen.Choose(-6, 6).Two().Select(p => ((double)p.Item1, (double)p.Item2)).ArrayOf()
            .Resize(200).ToArbitrary();

    private static (double[] X, double[] Y) Split((double X, double Y)[] pairs) =>
        ([.. pairs.Select(p => p.X)], [.. pairs.Select(p => p.Y)]);

    [Fact]
    public void Golden_pairs()
    {
        foreach (var pair in GoldenStatistics.Section("pairs"))
        {
            string name = pair.Text("name");
            double[] x = pair.Numbers("x"), y = pair.Numbers("y"), ranks = new double[x.Length];
            MidRanks.Compute(x, ranks);
            Golden.Close(pair.Numbers("mid_ranks_x"), ranks, name + " mid_ranks_x");
            MidRanks.Compute(y, ranks);
            Golden.Close(pair.Numbers("mid_ranks_y"), ranks, name + " mid_ranks_y");
            Golden.Close(pair.Number("spearman"), Spearman.Rho(x, y), name + " spearman");
            Golden.Close(pair.Number("kendall_tau_b"), Kendall.TauB(x, y), name + " tau-b");
        }
    }

    [Fact]
    public void Mid_ranks_sum_to_the_sum_of_positions() => Prop.ForAll(s_series, pairs =>
    {
        var ranks = new double[pairs.Length];
        MidRanks.Compute(Split(pairs).X, ranks);
        return ranks.Sum() == pairs.Length * (pairs.Length + 1) / 2.0;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Centred_ranks_count_smaller_less_larger_values() => Prop.ForAll(s_series, pairs =>
    {
        var x = Split(pairs).X;
        var centred = new int[x.Length];
        MidRanks.Centred(x, centred);
        return centred.SequenceEqual(x.Select(v => x.Count(w => w < v) - x.Count(w => w > v)));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Turning_one_side_turns_the_sign_and_swapping_sides_changes_nothing() => Prop.ForAll(s_series, pairs =>
    {
        var (x, y) = Split(pairs);
        double[] turned = [.. x.Select(v => -v)];
        return Spearman.Rho(turned, y) == -Spearman.Rho(x, y) && Spearman.Rho(y, x) == Spearman.Rho(x, y)
            && Kendall.TauB(turned, y) == -Kendall.TauB(x, y) && Kendall.TauB(y, x) == Kendall.TauB(x, y);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Spearman_is_Pearson_of_mid_ranks() => Prop.ForAll(s_series, pairs =>
    {
        var (x, y) = Split(pairs);
        double[] a = new double[x.Length], b = new double[x.Length];
        MidRanks.Compute(x, a);
        MidRanks.Compute(y, b);
        double? rho = Spearman.Rho(x, y), pearson = Pearson.Correlation(a, b);
        return rho.HasValue == pearson.HasValue && !(Math.Abs((rho - pearson) ?? 0) > 1e-12);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Tau_b_of_long_series_is_the_count_over_pairs() => Prop.ForAll(s_series, pairs =>
    {
        var (x, y) = Split(pairs);
        double balance = 0, untiedX = 0, untiedY = 0;
        for (int i = 0; i < x.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                balance += Math.Sign(x[i] - x[j]) * Math.Sign(y[i] - y[j]);
                untiedX += x[i] != x[j] ? 1 : 0;
                untiedY += y[i] != y[j] ? 1 : 0;
            }
        }
        double? tau = Kendall.TauB(x, y);
        return untiedX * untiedY == 0 ? tau is null : Math.Abs(tau!.Value - balance / Math.Sqrt(untiedX * untiedY)) < 1e-14;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Untied_rho_is_the_mean_over_all_ways_to_break_the_ties()
    {
        // Three items tied at the bottom of five: six equally likely orders.
        double[] measure = [0, 0, 1, 0, 2], gold = [2, 1, 3, 5, 4];
        int[][] orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        double mean = orders.Average(o => Spearman.Rho([o[0] - 9, o[1] - 9, 1, o[2] - 9, 2], gold)!.Value);
        Assert.Equal(mean, Spearman.Correlate(measure, gold)!.Value.RhoUntied, 1e-15);
    }

    [Fact]
    public void The_indicator_of_the_last_of_three_falls_from_866_to_75()
    {
        // "Before and After Temperature": 1[T = 1.5] against a gold without ties.
        var indicator = Spearman.Correlate([0, 0, 1], [1, 2, 3])!.Value;
        Assert.Equal(Math.Sqrt(3) / 2, indicator.Rho, 1e-15);
        Assert.Equal(0.75, indicator.RhoUntied, 1e-15);
    }

    [Fact]
    public void Perfect_agreement_is_exactly_one_at_any_length()
    {
        foreach (int n in new[] { 2, 3, 7, 8, 30, 64, 65, 1000, 300_000 })
        {
            double[] x = [.. Enumerable.Range(0, n).Select(i => (double)((long)i * 7919 % n))];
            Assert.Equal(1.0, Spearman.Rho(x, x));
            Assert.Equal(1.0, Kendall.TauB(x, x));
        }
    }

    [Fact]
    public void A_million_items_need_more_than_64_bits()
    {
        double[] x = [.. Enumerable.Range(0, 4_000_000).Select(i => (double)i)];
        var y = (double[])x.Clone();
        (y[0], y[^1]) = (y[^1], y[0]);
        // Closed form without ties: 1 - 6 sum d² / (n³ - n), d = n - 1 twice.
        double n = x.Length;
        Assert.Equal(1 - 12 * (n - 1) * (n - 1) / (n * (n * n - 1)), Spearman.Rho(x, y)!.Value, 1e-14);
    }

    [Fact]
    public void NaN_makes_a_correlation_undefined_and_has_no_rank()
    {
        Assert.Null(Spearman.Rho([1, double.NaN, 3], [1, 2, 3]));
        Assert.Null(Kendall.TauB([1, 2, 3], [1, double.NaN, 3]));
        Assert.Throws<ArgumentException>(() => MidRanks.Compute([double.NaN], new double[1]));
        Assert.Throws<ArgumentException>(() => Spearman.Rho([1, 2], [1, 2, 3]));
    }
}
