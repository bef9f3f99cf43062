using System.Text.Json;
using Silo.Experiments.Board;
using Silo.Experiments.Ranking;

namespace Silo.Experiments.Tests.Board;

/// <summary>The LAMP rankings (200 prompts, 3 texts, 3 raters of 13) through the board, against independently computed values.</summary>
public class LampTests
{
    private static readonly string[] s_features = ["words", "gzip_ratio", "distinct_1", "raw_deflate_ratio"];

    private static CorrelationBoard Load(JsonElement expected)
    {
        var kinds = expected.Items("kinds_order").Select(k => k.GetString()!).ToArray();
        using var data = JsonDocument.Parse(File.ReadAllBytes(Shared.Path("data/lamp_rankings_200x3x3.json")));
        var board = new CorrelationBoard(Boards.Design(s_features));
        foreach (var (prompt, stored) in data.RootElement.EnumerateArray().Zip(expected.Items("prompts")))
        {
            var id = prompt.Text("id");
            Assert.Equal(id, stored.Text("id"));
            foreach (var rater in prompt.GetProperty("ranks").EnumerateObject())
                foreach (var rank in rater.Value.EnumerateObject())
                    board.Apply(new RankEvent(id, rank.Name, rater.Name, null, rank.Value.GetDouble()));
            board.SetTexts(id, [.. stored.Items("texts").Select((t, i) => Boards.Text(kinds[i], [.. s_features.Select(f => Value(t, f))]))]);
        }
        return board;
    }

    // The golden file divides lengths that are stored beside it; the deflate ratio is not stored per text.
    private static double Value(JsonElement text, string feature) => feature == "raw_deflate_ratio"
        ? text.Number("raw_deflate_len")!.Value / text.Number("utf8_len")!.Value : text.Number(feature)!.Value;

    [Fact]
    public void Both_golds_reproduce_the_expected_correlations_with_their_sign_turned()
    {
        var expected = Golden.Load("lamp_expected.json");
        var table = Load(expected).Read();
        foreach (var feature in s_features)
        {
            var byMean = expected.GetProperty("features").GetProperty(feature);
            var result = table.Result("mean_rank", feature);
            Golden.Close(-byMean.Number("within_prompt_mean_rho"), result.RhoWithin, feature);
            Golden.Close(-byMean.Number("within_prompt_mean_tau_b"), result.TauWithin, feature);
            Golden.Close(-byMean.Number("pooled_rho"), result.PooledRho, feature);
            Golden.Close(-byMean.Number("pooled_within_rank_rho"), result.PooledWithinRankRho, feature);
            Assert.Equal((byMean.Whole("n_defined"), byMean.Whole("n_undefined")), (result.NDefined, result.NUndefined));
            var byMajority = expected.GetProperty("pairwise_majority").GetProperty("features").GetProperty(feature);
            Golden.Close(-byMajority.Number("within_prompt_mean_rho"), table.Result("pairwise_majority", feature).RhoWithin, feature);
            if (byMean.TryGetProperty("bootstrap", out var bootstrap))
            {
                Assert.Equal(-bootstrap.Number("upper")!.Value, result.Ci!.Value.Lower, bootstrap.Number("tolerance")!.Value);
                Assert.Equal(-bootstrap.Number("lower")!.Value, result.Ci!.Value.Upper, bootstrap.Number("tolerance")!.Value);
            }
            foreach (var gold in new[] { "mean_rank", "pairwise_majority" })
            {
                var pairs = expected.GetProperty("pairwise_accuracy").GetProperty(feature).GetProperty(gold);
                var accuracy = Assert.Single(table.Result(gold, feature).PairAccuracy);
                Assert.Equal((pairs.Whole("n_pairs"), pairs.Whole("gold_ties"), pairs.Whole("feature_ties")), (accuracy.NPairs, accuracy.GoldTies, accuracy.FeatureTies));
                Golden.Close(pairs.Number("accuracy"), accuracy.Accuracy, feature);
            }
        }
    }

    [Fact]
    public void Golds_ceilings_and_missing_controls_are_as_expected()
    {
        var expected = Golden.Load("lamp_expected.json");
        var board = Load(expected);
        var table = board.Read();
        var mean = table.Golds.Single(g => g.Name == "mean_rank");
        Golden.Close(expected.Number("mean_pairwise_rho"), mean.RaterAgainstRater!.Mean, "ceiling");
        Assert.Equal(expected.Whole("majority_prompts_with_any_tie"), mean.NTied);
        Assert.Equal((200, 0, 13, 0), (mean.NRated, mean.NUnrated, mean.Raters, mean.NConstant));
        Assert.True(mean.RaterAgainstRest!.Ci!.Value.Lower < mean.RaterAgainstRest.Mean && mean.RaterAgainstRest.Mean < mean.RaterAgainstRest.Ci.Value.Upper);
        var majority = table.Golds.Single(g => g.Name == "pairwise_majority");
        Assert.Equal((expected.GetProperty("pairwise_majority").Whole("prompts_with_cycle"), 0), (majority.NCycles, majority.NTied));
        Assert.Equal(13, table.Golds.Count(g => g.Name.StartsWith("rater:", StringComparison.Ordinal)));
        Assert.Equal(5, table.MissingControls.Count());
        Assert.All(table.Results.Where(r => r.Kind != MeasureKind.Control), r => Assert.Equal(Verdict.Undecided, r.Verdict));
        var differing = board.Prompts.Count(p => !p.Rows.Single(r => r.Gold.Name.Kind == GoldKind.MeanRank).Gold.Merit.AsSpan()
            .SequenceEqual(p.Rows.Single(r => r.Gold.Name.Kind == GoldKind.PairwiseMajority).Gold.Merit));
        Assert.Equal(expected.GetProperty("pairwise_majority").Whole("prompts_differing_from_mean_rank"), differing);
    }
}
