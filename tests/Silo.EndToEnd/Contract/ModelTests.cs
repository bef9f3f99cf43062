using System.Text.Json;

namespace Silo.EndToEnd.Contract;

public class ModelTests
{
    [Fact]
    public async Task Greedy_texts_are_the_golden_ones()
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Shared.Path("models/stories260k/golden-logits.json")));
        foreach (var expected in golden.RootElement.Items("cases"))
        {
            var format = expected.GetProperty("formats").GetProperty("f32");
            var actual = (await SiloProcess.RunAsync("generate", "--model", Model, "--prompt", expected.Text("prompt"), "--temperature", "0", "--max-tokens", "64", "--json")).Json;
            Assert.Equal(format.Numbers("greedy_ids"), actual.Numbers("tokens"));
            Assert.Equal(format.Text("greedy_text"), actual.Text("text"));
            Assert.Equal("length", actual.Text("finish"));
        }
    }

    [Fact]
    public async Task A_seed_makes_a_text_and_another_seed_another()
    {
        var texts = new List<string>();
        foreach (var seed in new[] { "0", "0", "1", "18446744073709551615" })
            texts.Add((await SiloProcess.RunAsync("generate", "--model", Model, "--prompt=--", "--seed", seed, "--max-tokens", "32", "--json")).Json.Text("text"));
        Assert.Equal(texts[0], texts[1]);
        Assert.Equal(3, texts.Distinct().Count());
    }

    [Fact]
    public async Task Golden_tokenizer_cases_come_out_whatever_string_they_are()
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Shared.Path("models/stories260k/golden-tokenizer.json")));
        var cases = golden.RootElement.Items("cases").Where(c => !c.Text("text").Contains('\0', StringComparison.Ordinal)).ToArray();
        // A process for each would take long; every seventh, and those that a parser could misread.
        foreach (var expected in cases.Where((c, i) => i % 7 == 0 || c.Text("text") is "" or ['-', ..] or ['@', ..] or [' ', ..]))
        {
            var actual = (await SiloProcess.RunAsync("tokenize", "--model", Model, $"--text={expected.Text("text")}", "--json")).Json;
            Assert.Equal(expected.Numbers("ids"), actual.Numbers("ids"));
        }
    }

    [Theory]
    [InlineData("--")]
    [InlineData("@x")]
    [InlineData("--json")]
    [InlineData("[suggest]")]
    [InlineData("\"q\"")]
    public async Task Any_string_is_a_text_in_either_form(string text)
    {
        var joined = (await SiloProcess.RunAsync("tokenize", "--model", Model, $"--text={text}", "--json")).Json;
        var apart = (await SiloProcess.RunAsync("tokenize", "--json", "--model", Model, "--text", text)).Json;
        Assert.Equal(joined.Numbers("ids"), apart.Numbers("ids"));
        Assert.True(joined.Numbers("ids").Length > 1);
    }

    [Fact]
    public async Task Perplexity_is_that_of_the_golden_logits()
    {
        using var folder = new TemporaryFolder();
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Shared.Path("models/stories260k/golden-logits.json")));
        var compared = 0;
        foreach (var expected in golden.RootElement.Items("cases"))
        {
            var ids = expected.Numbers("input_ids").Select(id => (int)id).ToArray();
            var format = expected.GetProperty("formats").GetProperty("f32");
            // The text of the input ids: the prompt and the first greedy tokens. Cut at the end of a word, it is cut into the same tokens again.
            var text = expected.Text("prompt") + format.Text("greedy_text");
            for (text = text[..60]; ; text = text[..^1])
            {
                var again = (await SiloProcess.RunAsync("tokenize", "--model", Model, "--text", text, "--json")).Json.Numbers("ids");
                if (again.Length > ids.Length || !again.SequenceEqual(ids[..again.Length].Select(id => (double)id))) continue;
                var nats = again.Skip(1).Select((id, i) => -LogProbability(format.GetProperty("logits")[i].Numbers(), (int)id)).Sum();
                var actual = (await SiloProcess.RunAsync("perplexity", "--model", Model, "--file", folder.Write("text.txt", text), "--json")).Json;
                Golden.Close(nats / Math.Log(2) / text.Length, actual.Number("bits_per_byte"), text, 1e-5);
                Golden.Close(Math.Exp(nats / (again.Length - 1)), actual.Number("perplexity"), text, 1e-5);
                Assert.Equal((again.Length - 1, text.Length), (actual.Whole("tokens"), actual.Whole("bytes")));
                compared++;
                break;
            }
        }
        Assert.Equal(3, compared);
    }

    [Fact]
    public async Task Model_info_says_what_the_file_says()
    {
        var info = (await SiloProcess.RunAsync("model", "info", Model, "--json")).Json;
        Assert.Equal(("llama", 260032, 512, 5), (info.Text("architecture"), info.Whole("parameters"), info.Whole("context_length"), info.Whole("layers")));
        Assert.Equal("9bc5c4613b0ad4efe534fe717acd59779c52bfbe352325452d4a1e721d735f03", info.Text("sha256"));
        Assert.Equal(47, info.Items("tensors").Count());
        Assert.Equal("mit", info.GetProperty("metadata").Text("general.license"));
    }

    private static double LogProbability(double[] logits, int token)
    {
        var max = logits.Max();
        return logits[token] - max - Math.Log(logits.Sum(z => Math.Exp(z - max)));
    }

    private static string Model => Shared.Path("models/stories260k/stories260K-f32.gguf");
}
