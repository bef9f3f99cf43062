using System.Text.Json;
using System.Text.RegularExpressions;
using Silo.Experiments.Spec;
using Silo.Local.Models;
using Silo.Local.Running;
using Silo.Storage.Runs;

namespace Silo.Local.Tests.Reports;

public sealed class RunReportTests : IDisposable
{
    private static readonly ExperimentSpec s_spec = new()
    {
        Name = "tiny",
        Prompts = [new Prompt("a", "Once upon a time"), new Prompt("b", "The dog")],
        MaxTokens = 12,
        CaptureK = 50,
    };

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_finished_run_has_its_report_and_tables_with_the_replayed_tokens_of_its_texts()
    {
        await using var model = new LocalModel(Shared.Path("models/stories260k/stories260K-f32.gguf"));
        await Run(model);

        var html = await File.ReadAllTextAsync(Path.Combine(_folder["run"], "report.html"), TestContext.Current.CancellationToken);
        using var data = JsonDocument.Parse(Regex.Match(html, "id=\"data\">(.*?)</script>", RegexOptions.Singleline).Groups[1].Value);
        using var run = RunReader.Open(_folder["run"]);
        var records = run.Records([]).ToDictionary(r => (r.Key.Prompt, r.Key.Item));
        var texts = data.RootElement.GetProperty("prompts").EnumerateArray()
            .SelectMany(p => p.GetProperty("texts").EnumerateArray().Select(t => (Prompt: p.GetProperty("id").GetString()!, Text: t))).ToList();

        Assert.Equal(6, texts.Count);
        foreach (var (prompt, text) in texts)
        {
            var record = records[(prompt, text.GetProperty("item").GetString()!)];
            Assert.Equal(record.Text, string.Concat(text.GetProperty("tokens").EnumerateArray().Select(t => t.GetString())));
            // The replay saw what generation saw: the card's numbers are those of the stored trace.
            var trace = run.Trace(record.Key)!;
            foreach (var (card, step) in text.GetProperty("cards").EnumerateArray().Select((c, i) => (c, i)))
            {
                var row = trace.FullRow(step, 0);
                Assert.Equal(row[(int)Core.Features.TokenFeature.RankX], card.GetProperty("rank").GetInt32());
                Assert.Equal(row[(int)Core.Features.TokenFeature.Leak], card.GetProperty("leak").GetDouble(), 1e-3);
                Assert.Equal(Math.Exp(row[(int)Core.Features.TokenFeature.LogQX]), card.GetProperty("q").GetDouble(), 1e-3);
            }
        }
        Assert.Contains(run.Info().Digest!, html, StringComparison.Ordinal);
        Assert.Contains("Nothing: every planned text was made.", html, StringComparison.Ordinal);
        Assert.Equal(10, Directory.GetFiles(Path.Combine(_folder["run"], "tables"), "*.csv").Length);
        Assert.Empty(Directory.GetFiles(_folder["run"], "*.new", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Without_the_model_that_made_the_texts_the_report_says_what_it_cannot_show()
    {
        await using var toy = new LocalModel(new ToyEngine());
        await Run(toy);

        var html = await File.ReadAllTextAsync(Path.Combine(_folder["run"], "report.html"), TestContext.Current.CancellationToken);

        Assert.Contains("Steps were not replayed for this page", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_that_cannot_be_written_is_one_line_that_names_it()
    {
        await using var toy = new LocalModel(new ToyEngine());
        Directory.CreateDirectory(Path.Combine(_folder["run"], "report.html"));

        var error = await Assert.ThrowsAsync<Core.SiloException>(() => Run(toy));

        Assert.Contains("report.html: the report cannot be written", error.Message, StringComparison.Ordinal);
    }

    private async Task Run(LocalModel model)
    {
        await foreach (var e in ExperimentRunner.RunAsync(
            new RunRequest { Spec = s_spec, Directory = _folder["run"], Model = model, WriteReport = true }, CancellationToken.None, TestContext.Current.CancellationToken))
            if (e is RunEvent.GenerationFailed failed) Assert.Fail(failed.Reason);
    }
}
