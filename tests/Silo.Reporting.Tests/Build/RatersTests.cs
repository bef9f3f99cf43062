using System.Text.Json;
using Silo.Experiments.Generation;
using Silo.Experiments.Ranking;
using Silo.Reporting.Build;
using Silo.Reporting.Tests.Synthetic;

namespace Silo.Reporting.Tests.Build;

public class RatersTests
{
    [Fact]
    public void On_LAMP_the_agreement_is_the_one_that_was_computed_independently()
    {
        using var lamp = JsonDocument.Parse(File.ReadAllBytes(Shared.Path("data/lamp_rankings_200x3x3.json")));
        var expected = Golden.Load("lamp_expected.json");
        // Each text gets a key of its own; kinds stand for temperatures.
        var (records, ranks) = (new List<GenerationRecord>(), new List<RankEvent>());
        var data = lamp.RootElement.ValueKind == JsonValueKind.Array ? lamp.RootElement : lamp.RootElement.GetProperty("prompts");
        foreach (var prompt in data.EnumerateArray())
        {
            var id = prompt.GetProperty("id").ToString();
            var keys = prompt.GetProperty("texts").EnumerateObject().Select((t, i) => (t.Name, Key: new GenerationKey(id, i + 1, 0))).ToDictionary(t => t.Name, t => t.Key, StringComparer.Ordinal);
            records.AddRange(keys.Values.Select(k => new GenerationRecord { Key = k, Tokens = [], Text = "", Finish = FinishReason.Stop, Measures = [], FeatureHash = [], Engine = "" }));
            foreach (var rater in prompt.GetProperty("ranks").EnumerateObject())
                ranks.AddRange(rater.Value.EnumerateObject().Select(r => new RankEvent(id, keys[r.Name].Item, rater.Name, null, r.Value.GetDouble())));
        }

        var section = new Raters(SyntheticRun.Source(prompts: 1, tokens: 3) with { Generations = records, Ranks = ranks }).Build();

        var all = Assert.Single(section.Agreements);
        Golden.Close(expected.Number("krippendorff_alpha_ordinal"), all.Alpha, "alpha");
        Golden.Close(expected.Number("kendall_w_mean"), all.KendallW, "W");
        Golden.Close(expected.Number("mean_pairwise_rho_by_prompt_first"), all.PairwiseRho.Mean, "rho");
        Assert.Equal(expected.Whole("n_rater_names"), section.Raters.Count);
        Assert.Equal(3 * expected.Whole("n_prompts"), section.Raters.Sum(r => r.Prompts));
        Assert.All(section.Raters, r => Assert.Equal(0, r.Ties));
    }

    [Fact]
    public void Each_rater_is_held_against_the_rest_of_the_panel()
    {
        var source = SyntheticRun.Source(prompts: 1, tokens: 3);
        string[] items = ["t0.3-0", "t0.8-0", "t1.5-0"];
        RankEvent[] Ranks(string rater, params double[] ranks) => [.. items.Zip(ranks, (item, rank) => new RankEvent("opening-01", item, rater, "people", rank))];

        var section = new Raters(source with { Ranks = [.. Ranks("a", 1, 2, 3), .. Ranks("b", 1, 2, 3), .. Ranks("c", 3, 2, 1), .. Ranks("d", 1, 1, 2)] }).Build();

        // Against c the others' mean ranks fall strictly: rho is -1.
        Assert.Equal(-1.0, section.Raters.Single(r => r.Name == "c").AgainstRest!.Mean!.Value, 1e-12);
        Assert.Equal((3, 1), section.Raters.Where(r => r.Name == "d").Select(r => (r.Pairs, r.Ties)).Single());
        Assert.Equal("people", Assert.Single(section.Agreements).Group);
    }

    [Fact]
    public void A_text_shows_the_rank_its_gold_gives_it_with_ties_shared()
    {
        var source = SyntheticRun.Source(prompts: 1, tokens: 3, people: false);
        var key = new GenerationKey("opening-01", 0.8, 0);
        RankEvent[] ranks = [new("opening-01", "t0.3-0", "a", "p", 1), new("opening-01", "t0.8-0", "a", "p", 7), new("opening-01", "t1.5-0", "a", "p", 7)];
        var gold = source.Board.Golds[0] with { Name = "p/mean_rank" };

        var raters = new Raters(source with { Ranks = ranks });

        Assert.Equal(2.5, raters.RankOf(gold, key));
        Assert.Equal(1, raters.RankOf(gold, key with { Temperature = 0.3 }));
        Assert.True(double.IsNaN(raters.RankOf(gold with { Name = "q/mean_rank" }, key)));
        Assert.True(double.IsNaN(raters.RankOf(gold, key with { Prompt = "another" })));
    }

    [Fact]
    public void A_withdrawn_rank_is_not_counted_and_one_rater_has_no_rest()
    {
        var source = SyntheticRun.Source(prompts: 1, tokens: 3, people: false);
        var section = new Raters(source with
        {
            Ranks = [new("opening-01", "t0.3-0", "a", null, 1), new("opening-01", "t0.8-0", "a", null, 2), new("opening-01", "t1.5-0", "a", null, 3), new("opening-01", "t1.5-0", "a", null, null, 1)],
        }).Build();

        var only = Assert.Single(section.Raters);
        Assert.Equal((1, 1), (only.Prompts, only.Pairs));
        Assert.Null(only.AgainstRest);
        Assert.Empty(section.Agreements);
    }
}
