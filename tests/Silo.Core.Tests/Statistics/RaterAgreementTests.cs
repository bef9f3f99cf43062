using System.Text.Json;
using Silo.Core.Numerics;
using Silo.Core.Statistics;

namespace Silo.Core.Tests.Statistics;

public class RaterAgreementTests
{
    private static RatingMatrix Matrix(JsonElement rows)
    {
        var values = rows.EnumerateArray().Select(row => row.Numbers()).ToList();
        return new RatingMatrix(values.Count, values[0].Length, [.. values.SelectMany(v => v)]);
    }

    private static RatingMatrix Matrix(params double[][] rows) => new(rows.Length, rows[0].Length, [.. rows.SelectMany(r => r)]);

    [Fact]
    public void Golden_agreement()
    {
        foreach (var raters in GoldenStatistics.Section("raters"))
        {
            string name = raters.Text("name");
            RatingMatrix[] prompts = [.. raters.Items("prompts").Select(p => Matrix(p))];

            Golden.Close(raters.Number("krippendorff_alpha_ordinal"),
                Krippendorff.Alpha(prompts, MeasurementLevel.Ordinal).Alpha, name + " ordinal alpha");
            Golden.Close(raters.Number("krippendorff_alpha_interval"),
                Krippendorff.Alpha(prompts, MeasurementLevel.Interval).Alpha, name + " interval alpha");

            var w = KendallW.OverPrompts(prompts);
            Golden.Close(raters.Numbers("kendall_w_per_prompt"), [.. w.PerPrompt.Select(x => x ?? double.NaN)], name + " W");
            Golden.Close(raters.Number("kendall_w_mean"), w.Mean, name + " mean W");
            Assert.Equal((raters.Whole("kendall_w_n_defined"), raters.Whole("kendall_w_n_undefined")), (w.Defined, w.Undefined));

            var rho = RaterCorrelation.Pairwise(prompts);
            Golden.Close(raters.Number("mean_pairwise_rho"), rho.Mean, name + " pairwise rho");
            Golden.Close(raters.Number("mean_pairwise_rho_by_prompt_first"), rho.ByPromptFirst, name + " by prompt first");
            Golden.Close(raters.Number("mean_pairwise_rho_by_pair_first"), rho.ByPairFirst, name + " by pair first");
            Assert.Equal((raters.Whole("mean_pairwise_rho_n_defined"), raters.Whole("mean_pairwise_rho_n_undefined")), (rho.Defined, rho.Undefined));
        }
    }

    [Fact]
    public void Interval_of_alpha_is_that_of_all_draws_of_three_prompts()
    {
        // Each of the 27 draws has a share of 3.7 %, more than the 2.5 % left out on either side: the bounds are the extremes.
        RatingMatrix[] prompts = [Matrix([1, 2, 3], [1, 2, 3], [2, 1, 3]), Matrix([3, 1, 2], [1, 2.5, 2.5], [1, double.NaN, 2]), Matrix([1, 2, 3], [3, 2, 1], [1, 2, 3])];
        foreach (var level in Enum.GetValues<MeasurementLevel>())
        {
            double[] draws = [.. from a in prompts from b in prompts from c in prompts select Krippendorff.Alpha([a, b, c], level).Alpha!.Value];
            var interval = Krippendorff.AlphaInterval(prompts, level, CounterRandom.Create(1, "alpha"), resamples: 20_000)!.Value;
            Golden.Close(draws.Min(), interval.Lower, $"{level} lower");
            Golden.Close(draws.Max(), interval.Upper, $"{level} upper");
        }
    }

    [Fact]
    public void One_prompt_has_no_interval_of_alpha() =>
        Assert.Null(Krippendorff.AlphaInterval([Matrix([1, 2, 3], [1, 2, 3]), Matrix([1, double.NaN, 3])], MeasurementLevel.Ordinal, CounterRandom.Create(1, "alpha")));

    [Fact]
    public void Golden_rankings()
    {
        foreach (var raters in GoldenStatistics.Section("raters"))
        {
            string name = raters.Text("name");
            var majorities = raters.Items("majority_per_prompt").ToList();
            var pairwise = raters.Items("pairwise_majority_per_prompt").ToList();
            var cycles = raters.Items("pairwise_majority_cycle").ToList();
            int p = 0;
            foreach (var ratings in raters.Items("prompts").Select(rows => Matrix(rows)))
            {
                var ranks = new double[ratings.Items];
                bool enough = GoldRanking.MeanRank(ratings, ranks, minimumRaters: 3);
                Assert.Equal(majorities[p].ValueKind != JsonValueKind.Null, enough);
                if (enough) Golden.Close(majorities[p].Numbers(), ranks, $"{name} mean rank {p}");
                bool circle = GoldRanking.PairwiseMajority(ratings, ranks);
                Golden.Close(pairwise[p].Numbers(), ranks, $"{name} pairwise majority {p}");
                Assert.Equal(cycles[p].GetBoolean(), circle);
                p++;
            }
        }
    }

    [Fact]
    public void Three_raters_in_a_circle_tie_and_say_so()
    {
        var ranks = new double[3];
        Assert.True(GoldRanking.PairwiseMajority(Matrix([1, 2, 3], [3, 1, 2], [2, 3, 1]), ranks));
        Assert.Equal([2.0, 2, 2], ranks);
    }

    [Fact]
    public void A_circle_is_found_among_many_items()
    {
        // 100 items in one order, except that 70, 80 and 90 beat each other in a circle.
        double[] order = [.. Enumerable.Range(0, 100).Select(i => (double)i)];
        double[] Placed(int a, int b, int c)
        {
            var row = (double[])order.Clone();
            (row[a], row[b], row[c]) = (70, 80, 90);
            return row;
        }
        var ranks = new double[100];
        Assert.False(GoldRanking.PairwiseMajority(Matrix(order, order), ranks));
        Assert.Equal(order.Select(i => i + 1), ranks);
        Assert.True(GoldRanking.PairwiseMajority(Matrix(Placed(70, 80, 90), Placed(90, 70, 80), Placed(80, 90, 70)), ranks));
    }

    [Fact]
    public void A_rater_drawn_twice_counts_twice()
    {
        var ranks = new double[3];
        var ratings = Matrix([1, 2, 3], [3, 2, 1], [2, 1, 3]);
        Assert.True(GoldRanking.MeanRank(ratings, ranks, multiplicity: [0, 1, 1]));
        Assert.Equal([3.0, 1, 2], ranks); // sums of ranks 5, 3, 4
        Assert.True(GoldRanking.MeanRank(ratings, ranks, multiplicity: [0, 2, 1]));
        Assert.Equal([3, 1.5, 1.5], ranks); // sums of ranks 8, 5, 5
        Assert.False(GoldRanking.MeanRank(ratings, ranks, multiplicity: [0, 0, 0]));
    }

    [Fact]
    public void Each_rater_against_the_mean_rank_of_the_rest()
    {
        // The first two agree; the third is their inverse; the fourth rated nothing.
        double[] none = [double.NaN, double.NaN, double.NaN];
        var result = RaterCorrelation.AgainstRest([Matrix([1, 2, 3], [1, 2, 3], [3, 2, 1], none)]);
        // For the first, the rest is (1,2,3) and (3,2,1): all tied, undefined; for the third, the rest is (1,2,3).
        Assert.Equal([null, null, -1.0, null], result.PerRater);
        Assert.Equal((-1.0, 1, 2), (result.Mean, result.Defined, result.Undefined));
    }

    [Fact]
    public void Absent_raters_are_told_from_raters_without_variance()
    {
        double[] none = [double.NaN, double.NaN, double.NaN];
        var rho = RaterCorrelation.Pairwise([Matrix([1, 2, 3], [2, 2, 2], none)]);
        Assert.Equal((0, 3, 2), (rho.Defined, rho.Undefined, rho.Absent));
    }

    [Fact]
    public void Rows_must_be_the_same_raters_in_every_prompt() => Assert.Throws<ArgumentException>(() =>
        RaterCorrelation.Pairwise([Matrix([1, 2]), Matrix([1, 2], [1, 2])]));
}
