using System.CommandLine;
using System.Text.Json.Nodes;
using Silo.Cli.Results;
using Silo.Core.Baselines;
using Silo.Core.Features;
using Silo.Core.Text;
using Silo.Experiments.Generation;
using Silo.Experiments.Measures;
using Silo.Experiments.Spec;
using Silo.Models;
using Silo.Storage.Files;

namespace Silo.Cli.Commands;

/// <summary>
/// <c>silo score</c>: the measures of texts that were made elsewhere. With a model also those that need neither the
/// prompt nor the temperature: the text is read alone, token by token (teacher forcing).
/// </summary>
internal static class ScoreCommand
{
    public static Command Create()
    {
        var texts = Common.File("--texts", """JSON lines {"prompt","item","text"}.""");
        var model = new Option<string>("--model") { Description = "A model that reads the texts, for the measures of p. Default: none.", HelpName = "MODEL" };
        return new Command("score", "Measures of your own texts: length, compression, distinct n-grams; with a model also perplexity, entropy and the like.") { texts, model }
            .WithExamples(
                "silo score --texts texts.jsonl > measures.csv",
                "silo score --texts texts.jsonl --model model.gguf > measures.csv",
                "silo correlate --features measures.csv --ranks ranks.csv")
            .Does((result, terminal) =>
            {
                using var opened = result.GetValue(model) is { } path ? LanguageModels.Open(path) : null;
                var reader = opened is null ? null : new ModelReader(opened);
                var scores = TextFile.Read(result.GetRequiredValue(texts)).Select(row => Of(row, reader));
                if (terminal.Json) terminal.WriteJson(new JsonObject { ["texts"] = new JsonArray([.. scores]) }, CliJson.Readable.JsonObject);
                else Show(terminal, scores);
            });
    }

    private static JsonObject Of(TextRow row, ModelReader? reader)
    {
        var compressed = CompressedLength.Of(row.Text);
        var distinct = DistinctN.OfText(Words.Encode([row.Text])[0]);
        var score = new JsonObject
        {
            ["prompt"] = row.Prompt,
            ["item"] = row.Item,
            ["words"] = Words.Count(row.Text),
            ["utf8_len"] = compressed.Utf8,
            ["gzip_len"] = compressed.Gzip,
            ["gzip_ratio"] = compressed.GzipRatio,
            ["raw_deflate_len"] = compressed.RawDeflate,
            ["raw_deflate_ratio"] = compressed.RawDeflateRatio,
            ["distinct_1"] = distinct.Distinct1,
            ["distinct_2"] = distinct.Distinct2,
            ["distinct_3"] = distinct.Distinct3,
            ["distinct_4"] = distinct.Distinct4,
            ["distinct_sum"] = distinct.Sum,
        };
        reader?.Read(row.Text, score);
        return score;
    }

    /// <summary>The same as CSV, as silo correlate reads it: the number of words is the length, which is a control.</summary>
    private static void Show(Terminal terminal, IEnumerable<JsonObject> scores)
    {
        var header = false;
        foreach (var score in scores)
        {
            if (!header) terminal.WriteLine(Csv.Line(score.Select(pair => pair.Key == "words" ? "length" : pair.Key)));
            header = true;
            terminal.WriteLine(Csv.Line(score.Select(pair => pair.Value?.ToString() ?? "")));
        }
    }

    /// <summary>Reads texts alone with a model.</summary>
    private sealed class ModelReader(ILanguageModel model)
    {
        private readonly Replay _replay = new(model);
        private readonly MeasureCatalog _catalog = MeasureCatalog.For(new MeasureCatalogOptions());

        public void Read(string text, JsonObject score)
        {
            var tokens = _replay.TokensOf("", text);
            var trace = _replay.Trace("", tokens, temperature: 0, referenceTemperatures: [], _catalog.Options.CaptureK, CancellationToken.None);
            var record = _catalog.Reduce(new GenerationResult(default, tokens, text, FinishReason.Stop, trace, model.Info.Fingerprint), TraceKeeping.None);
            score["tokens"] = tokens.Length;
            foreach (var (measure, value) in _catalog.Measures.Zip(record.Measures))
                if (IsOfTextAlone(measure)) score[measure.Name] = double.IsFinite(value) ? value : null;
        }

        /// <summary>What neither the temperature nor the capture changes.</summary>
        private static bool IsOfTextAlone(Measure measure) =>
            measure.Needs.HasFlag(MeasureNeeds.Distribution) && !measure.Needs.HasFlag(MeasureNeeds.Temperature)
            && !measure.Captured && measure.Feature is not TokenFeature.OutsideX;
    }
}
