using System.Text;
using System.Text.Json;

namespace Silo.EndToEnd.Contract;

public class ScoreTests
{
    [Fact]
    public async Task Golden_texts_get_their_golden_measures()
    {
        using var folder = new TemporaryFolder();
        var sets = Golden.Load("texts.json").Items("sets").ToArray();
        var lines = new StringBuilder();
        foreach (var set in sets)
            foreach (var (i, text) in set.Items("texts").Index())
                lines.Append($$"""{"prompt":{{JsonSerializer.Serialize(set.Text("name"))}},"item":"{{i}}","text":{{text.GetRawText()}}}""").Append('\n');
        var scores = (await SiloProcess.RunAsync("score", "--texts", folder.Write("texts.jsonl", lines.ToString()), "--json")).Json
            .Items("texts").ToDictionary(score => (score.Text("prompt"), score.Text("item")));
        foreach (var set in sets)
        {
            foreach (var (i, expected) in set.Items("per_text").Index())
            {
                var actual = scores[(set.Text("name"), $"{i}")];
                var what = $"{set.Text("name")}[{i}]";
                Assert.Equal((int)set.Numbers("token_counts")[i], actual.Whole("words"));
                Golden.Close(expected.Numbers("distinct"), [.. Enumerable.Range(1, 4).Select(n => actual.Number($"distinct_{n}")!.Value)], what);
                Assert.Equal(expected.Whole("utf8_len"), actual.Whole("utf8_len"));
                // Compressed lengths depend on the library: SCHEMA 4.
                Assert.InRange(actual.Whole("gzip_len"), expected.Whole("gzip_len") - Slack(expected), expected.Whole("gzip_len") + Slack(expected));
                Golden.Close(expected.Number("gzip_ratio") is null ? null : (double)actual.Whole("gzip_len") / actual.Whole("utf8_len"), actual.Number("gzip_ratio"), what);
            }
        }
    }

    [Fact]
    public async Task With_a_model_the_text_is_read_alone()
    {
        using var folder = new TemporaryFolder();
        var model = Shared.Path("models/stories260k/stories260K-f32.gguf");
        const string Text = "Once upon a time, there was a little girl named Lily.";
        var texts = folder.Write("t.jsonl", $$"""
            {"prompt":"p","item":"a","text":"{{Text}}"}
            {"prompt":"p","item":"empty","text":""}

            """);
        var scores = (await SiloProcess.RunAsync("score", "--texts", texts, "--model", model, "--json")).Json.Items("texts").ToArray();
        var perplexity = (await SiloProcess.RunAsync("perplexity", "--model", model, "--file", folder.Write("t.txt", Text), "--json")).Json;
        Golden.Close(perplexity.Number("perplexity"), scores[0].Number("self_perplexity"), "self_perplexity", 1e-6);
        Golden.Close(Math.Exp(-scores[0].Number("logp_x.mean")!.Value), scores[0].Number("self_perplexity"), "logp_x.mean");
        Assert.Equal(JsonValueKind.Null, scores[1].GetProperty("self_perplexity").ValueKind);
        Assert.Equal(JsonValueKind.Null, scores[1].GetProperty("gzip_ratio").ValueKind);
    }

    private static double Slack(JsonElement expected) => Math.Max(4, 0.03 * expected.Whole("gzip_len"));
}
