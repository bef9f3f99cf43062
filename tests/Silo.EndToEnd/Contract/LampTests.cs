using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Silo.EndToEnd.Contract;

/// <summary>Agreement and correlations of the LAMP rankings, through files and processes, against independently computed values.</summary>
public class LampTests
{
    [Fact]
    public async Task Agreement_is_reproduced()
    {
        using var folder = new TemporaryFolder();
        var expected = Golden.Load("lamp_expected.json");
        var actual = (await SiloProcess.RunAsync("agreement", "--ranks", Ranks(folder, expected), "--per-prompt", "--json")).Json;
        foreach (var key in new[]
        {
            "mean_pairwise_rho", "mean_pairwise_rho_n_defined", "mean_pairwise_rho_n_undefined", "mean_pairwise_rho_by_prompt_first",
            "krippendorff_alpha_ordinal", "krippendorff_alpha_interval", "krippendorff_n_units", "kendall_w_mean", "kendall_w_n_defined", "kendall_w_n_undefined",
        })
            Golden.Close(expected.Number(key), actual.Number(key), key);
        Golden.Close(expected.Number("mean_pairwise_rho_by_named_pair_first"), actual.Number("mean_pairwise_rho_by_pair_first"), "by pair first");
        Assert.Equal(expected.Whole("n_rater_names"), actual.Whole("raters"));
        foreach (var key in (string[])["mean_pairwise_rho", "krippendorff_alpha_ordinal", "krippendorff_alpha_interval", "kendall_w_mean", "rater_against_rest_rho"])
        {
            var ci = actual.GetProperty(key + "_ci");
            Assert.InRange(actual.Number(key)!.Value, ci.Number("lower")!.Value, ci.Number("upper")!.Value);
            Assert.InRange(ci.Number("upper")!.Value - ci.Number("lower")!.Value, 0.01, 0.5);
        }
        var prompts = expected.Items("prompts").ToArray();
        Golden.Close([.. prompts.Select(prompt => prompt.Number("kendall_w") ?? double.NaN)], actual.Numbers("kendall_w_per_prompt"), "kendall_w");
        var majority = actual.Items("majority_per_prompt").ToArray();
        var pairwise = actual.Items("pairwise_majority_per_prompt").ToArray();
        for (var i = 0; i < prompts.Length; i++)
        {
            Assert.Equal(prompts[i].Numbers("majority"), majority[i].Numbers());
            Assert.Equal(prompts[i].Numbers("pairwise_majority"), pairwise[i].Numbers());
        }
    }

    [Fact]
    public async Task Correlations_are_reproduced_for_both_golds_with_the_sign_turned()
    {
        using var folder = new TemporaryFolder();
        var expected = Golden.Load("lamp_expected.json");
        var results = (await SiloProcess.RunAsync("correlate", "--features", Features(folder, expected), "--ranks", Ranks(folder, expected), "--json")).Json
            .Items("results").ToDictionary(line => (line.Text("feature"), line.Text("gold")));
        foreach (var feature in expected.GetProperty("features").EnumerateObject())
        {
            var line = results[(feature.Name, "mean_rank")];
            Golden.Close(-feature.Value.Number("within_prompt_mean_rho"), line.Number("rho_within"), $"{feature.Name} rho");
            Golden.Close(-feature.Value.Number("within_prompt_mean_tau_b"), line.Number("tau_within"), $"{feature.Name} tau");
            Golden.Close(-feature.Value.Number("pooled_rho"), line.Number("pooled_rho"), $"{feature.Name} pooled");
            Assert.Equal(
                (feature.Value.Whole("n_defined"), feature.Value.Whole("n_undefined"), 0),
                (line.Whole("n_defined"), line.Whole("n_undefined"), line.Whole("n_unrated")));
            if (feature.Value.TryGetProperty("bootstrap", out var bootstrap) && bootstrap.ValueKind == JsonValueKind.Object)
            {
                var tolerance = bootstrap.Number("tolerance")!.Value;
                var interval = line.Numbers("ci");
                Assert.InRange(interval[0] + bootstrap.Number("upper")!.Value, -tolerance, tolerance);
                Assert.InRange(interval[1] + bootstrap.Number("lower")!.Value, -tolerance, tolerance);
            }
        }
        foreach (var feature in expected.GetProperty("pairwise_majority").GetProperty("features").EnumerateObject())
            Golden.Close(-feature.Value.Number("within_prompt_mean_rho"), results[(feature.Name, "pairwise_majority")].Number("rho_within"), feature.Name);
        // Any rater is a gold of their own.
        Assert.Equal(13, results.Keys.Count(key => key.Item1 == "words" && key.Item2.StartsWith("rater:", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Missing_controls_are_named_and_a_measure_that_is_lower_turns_no_coefficient()
    {
        using var folder = new TemporaryFolder();
        var expected = Golden.Load("lamp_expected.json");
        string[] command = ["correlate", "--features", Features(folder, expected), "--ranks", Ranks(folder, expected), "--lower", "words", "--json"];
        var outcome = await SiloProcess.RunAsync(command);
        foreach (var control in new[] { "control.temperature", "control.is_max_temperature", "control.length", "control.outside_capture", "control.temperature_best" })
            Assert.Contains(control, outcome.Error, StringComparison.Ordinal);
        var line = outcome.Json.Items("results").Single(r => r.Text("feature") == "words" && r.Text("gold") == "mean_rank");
        Assert.Equal("lower", line.Text("direction"));
        Golden.Close(-expected.GetProperty("features").GetProperty("words").Number("within_prompt_mean_rho"), line.Number("rho_within"), "rho");
    }

    private static string Ranks(TemporaryFolder folder, JsonElement expected)
    {
        var kinds = expected.Items("kinds_order").Select(kind => kind.GetString()!).ToArray();
        var text = new StringBuilder("prompt,item,rater,rank\n");
        using var data = JsonDocument.Parse(File.ReadAllBytes(Shared.Path("data/lamp_rankings_200x3x3.json")));
        foreach (var prompt in data.RootElement.EnumerateArray())
            foreach (var rater in prompt.GetProperty("ranks").EnumerateObject())
                foreach (var kind in kinds)
                    text.Append(CultureInfo.InvariantCulture, $"{prompt.Text("id")},{kind},{rater.Name},{rater.Value.GetProperty(kind)}\n");
        return folder.Write("ranks.csv", text.ToString());
    }

    /// <summary>The stored lengths, since compressed lengths depend on the library.</summary>
    private static string Features(TemporaryFolder folder, JsonElement expected)
    {
        var kinds = expected.Items("kinds_order").Select(kind => kind.GetString()!).ToArray();
        var text = new StringBuilder("prompt,item,words,gzip_ratio,distinct_1,raw_deflate_ratio\n");
        foreach (var prompt in expected.Items("prompts"))
        {
            foreach (var (kind, t) in kinds.Zip(prompt.Items("texts")))
                text.Append(CultureInfo.InvariantCulture, $"{prompt.Text("id")},{kind},{t.Whole("words")},{t.Number("gzip_ratio"):R},{t.Number("distinct_1"):R},{(double)t.Whole("raw_deflate_len") / t.Whole("utf8_len"):R}\n");
        }
        return folder.Write("features.csv", text.ToString());
    }
}
