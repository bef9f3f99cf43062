using System.Security.Cryptography;
using System.Text.Json;
using Silo.Core.Numerics;
using Silo.Core.Statistics;

namespace Silo.Core.Tests.Statistics;

/// <summary>The LAMP rankings (200 prompts x 3 texts x 3 of 13 raters) against independently computed results.</summary>
public class LampTests
{
    private static readonly string[] s_measures = ["words", "gzip_ratio", "distinct_1", "raw_deflate_ratio"];

    private readonly JsonElement _expected = Golden.Load("lamp_expected.json");
    private readonly List<JsonElement> _prompts;
    private readonly int[] _offsets = [.. Enumerable.Range(0, 201).Select(p => 3 * p)];

    public LampTests() => _prompts = [.. _expected.Items("prompts")];

    // Rows: the three raters of each prompt, or all raters by name with absent ones missing.
    private RatingMatrix[] Ratings(bool byName)
    {
        var bytes = File.ReadAllBytes(Shared.Path("data/lamp_rankings_200x3x3.json"));
        Assert.Equal(_expected.Text("source_sha256"), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        using var document = JsonDocument.Parse(bytes);
        var kinds = _expected.Items("kinds_order").Select(k => k.GetString()!).ToArray();
        var rows = document.RootElement.EnumerateArray().Select(p => p.GetProperty("ranks").EnumerateObject()
            .ToDictionary(r => r.Name, r => kinds.Select(k => r.Value.GetProperty(k).GetDouble()).ToArray())).ToList();
        var names = rows.SelectMany(r => r.Keys).Distinct().Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(_expected.Whole("n_rater_names"), names.Length);
        double[] none = [double.NaN, double.NaN, double.NaN];
        return byName
            ? [.. rows.Select(r => new RatingMatrix(names.Length, 3, [.. names.SelectMany(n => r.GetValueOrDefault(n, none))]))]
            : [.. rows.Select(r => new RatingMatrix(3, 3, [.. r.Values.SelectMany(v => v)]))];
    }

    private double[] Measure(string name) => [.. _prompts.SelectMany(p => p.Items("texts")).Select(t => name == "raw_deflate_ratio"
        ? t.Number("raw_deflate_len")!.Value / t.Number("utf8_len")!.Value
        : t.Number(name)!.Value)];

    private double[] Gold(string name) => [.. _prompts.SelectMany(p => p.Numbers(name))];

    [Fact]
    public void Agreement()
    {
        var ratings = Ratings(byName: false);
        var rho = RaterCorrelation.Pairwise(ratings);
        Golden.Close(_expected.Number("mean_pairwise_rho"), rho.Mean, "rho");
        Golden.Close(_expected.Number("mean_pairwise_rho_by_prompt_first"), rho.ByPromptFirst, "by prompt");
        Assert.Equal((_expected.Whole("mean_pairwise_rho_n_defined"), _expected.Whole("mean_pairwise_rho_n_undefined")), (rho.Defined, rho.Undefined));

        var named = RaterCorrelation.Pairwise(Ratings(byName: true));
        Golden.Close(_expected.Number("mean_pairwise_rho_by_named_pair_first"), named.ByPairFirst, "by named pair");
        Assert.Equal((_expected.Whole("n_named_pairs"), 0), (named.Pairs, named.Undefined - named.Absent));
        Golden.Close(rho.Mean, named.Mean, "rho by name");

        var alpha = Krippendorff.Alpha(ratings, MeasurementLevel.Ordinal);
        Golden.Close(_expected.Number("krippendorff_alpha_ordinal"), alpha.Alpha, "ordinal alpha");
        Golden.Close(_expected.Number("krippendorff_alpha_interval"), Krippendorff.Alpha(ratings, MeasurementLevel.Interval).Alpha, "interval alpha");
        Assert.Equal(_expected.Whole("krippendorff_n_units"), alpha.Units);

        var w = KendallW.OverPrompts(ratings);
        Golden.Close(_expected.Number("kendall_w_mean"), w.Mean, "W");
        Golden.Close([.. _prompts.Select(p => p.Number("kendall_w")!.Value)], [.. w.PerPrompt.Select(x => x!.Value)], "W per prompt");
    }

    [Fact]
    public void Gold_rankings()
    {
        var ratings = Ratings(byName: true);
        double[] mean = new double[3], pairs = new double[3];
        int cycles = 0, differing = 0, tied = 0;
        for (int p = 0; p < ratings.Length; p++)
        {
            Assert.True(GoldRanking.MeanRank(ratings[p], mean, minimumRaters: 3));
            if (GoldRanking.PairwiseMajority(ratings[p], pairs)) cycles++;
            Golden.Close(_prompts[p].Numbers("majority"), mean, $"mean rank {p}");
            Golden.Close(_prompts[p].Numbers("pairwise_majority"), pairs, $"pairwise majority {p}");
            if (!mean.SequenceEqual(pairs)) differing++;
            if (mean.Distinct().Count() < 3) tied++;
        }
        var pairwise = _expected.GetProperty("pairwise_majority");
        Assert.Equal((pairwise.Whole("prompts_with_cycle"), pairwise.Whole("prompts_differing_from_mean_rank")), (cycles, differing));
        Assert.Equal(_expected.Whole("majority_prompts_with_any_tie"), tied);
    }

    [Fact]
    public void Correlations()
    {
        foreach (string name in s_measures)
        {
            var golden = _expected.GetProperty("features").GetProperty(name);
            var actual = GroupedCorrelation.Compute(Measure(name), Gold("majority"), _offsets);
            Golden.Close(golden.Numbers("per_prompt_rho"), [.. actual.PerPromptRho.Select(r => r ?? double.NaN)], name);
            Golden.Close(golden.Number("within_prompt_mean_rho"), actual.WithinPromptMeanRho, name + " rho");
            Golden.Close(golden.Number("within_prompt_mean_tau_b"), actual.WithinPromptMeanTauB, name + " tau-b");
            Golden.Close(golden.Number("pooled_rho"), actual.PooledRho, name + " pooled");
            Golden.Close(golden.Number("pooled_rho_gold_not_reranked"), actual.PooledRhoGoldNotReranked, name + " not reranked");
            Golden.Close(golden.Number("pooled_within_rank_rho"), actual.PooledWithinRankRho, name + " within rank");
            Assert.Equal((golden.Whole("n_defined"), golden.Whole("n_undefined")), (actual.Defined, actual.Undefined));

            if (golden.TryGetProperty("bootstrap", out var interval))
            {
                double tolerance = interval.Number("tolerance")!.Value;
                var bootstrap = Bootstrap.MeanOverPrompts(golden.Numbers("per_prompt_rho"), CounterRandom.Create(1))!.Value;
                Assert.Equal(interval.Number("lower")!.Value, bootstrap.Lower, tolerance);
                Assert.Equal(interval.Number("upper")!.Value, bootstrap.Upper, tolerance);
            }

            var pairwise = _expected.GetProperty("pairwise_majority").GetProperty("features").GetProperty(name);
            actual = GroupedCorrelation.Compute(Measure(name), Gold("pairwise_majority"), _offsets);
            Golden.Close(pairwise.Number("within_prompt_mean_rho"), actual.WithinPromptMeanRho, name + " rho, pairwise majority");
        }
    }

    [Theory]
    [InlineData("mean_rank", "majority")]
    [InlineData("pairwise_majority", "pairwise_majority")]
    public void Pairwise_accuracy(string key, string gold)
    {
        foreach (string name in s_measures)
        {
            double[] measure = Measure(name), ranks = Gold(gold);
            var pairs = new List<ItemPair>();
            for (int first = 0; first < measure.Length; first += 3)
                foreach (var (i, j) in new[] { (0, 1), (0, 2), (1, 2) })
                    pairs.Add(new(measure[first + i] - measure[first + j], ranks[first + j] - ranks[first + i]));
            var golden = _expected.GetProperty("pairwise_accuracy").GetProperty(name).GetProperty(key);
            var exact = PairwiseAccuracy.At(pairs.ToArray());
            Assert.Equal((golden.Whole("n_pairs"), golden.Whole("gold_ties"), golden.Whole("feature_ties")), (exact.Pairs, exact.GoldTies, exact.MeasureTies));
            Golden.Close(golden.Number("accuracy"), exact.Accuracy, name + " accuracy");
            var calibrated = PairwiseAccuracy.Calibrate(pairs.ToArray());
            Golden.Close(golden.Number("accuracy_tie_calibrated"), calibrated.Accuracy, name + " calibrated");
            Golden.Close(golden.Number("epsilon"), calibrated.Epsilon, name + " epsilon");
        }
    }
}
