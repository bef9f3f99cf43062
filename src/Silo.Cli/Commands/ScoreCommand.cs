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
        var model = new Option<string>("--model") { Description = "A GGUF file that reads the texts, for the measures of p. Default: none.", HelpName = "FILE" };
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
                if (terminal.Json) terminal.WriteJson(new ScoreResult([.. scores]), CliJson.Readable.ScoreResult);
                else Show(terminal, scores);
            });
    }

    private static TextScore Of(TextRow row, ModelReader? reader)
    {
        var compressed = CompressedLength.Of(row.Text);
        var distinct = DistinctN.OfText(Words.Encode([row.Text])[0]);
        return new TextScore
        {
            Prompt = row.Prompt,
            Item = row.Item,
            Words = Words.Count(row.Text),
            Utf8Len = compressed.Utf8,
            GzipLen = compressed.Gzip,
            GzipRatio = compressed.GzipRatio,
            RawDeflateLen = compressed.RawDeflate,
            RawDeflateRatio = compressed.RawDeflateRatio,
            Distinct1 = distinct.Distinct1,
            Distinct2 = distinct.Distinct2,
            Distinct3 = distinct.Distinct3,
            Distinct4 = distinct.Distinct4,
            DistinctSum = distinct.Sum,
            OfModel = reader?.Read(row.Text),
        };
    }

    private static void Show(Terminal terminal, IEnumerable<TextScore> scores)
    {
        var header = false;
        foreach (var s in scores)
        {
            var ofModel = s.OfModel?.ToArray() ?? [];
            if (!header) terminal.WriteLine(Csv.Line([.. "prompt,item,length,utf8_len,gzip_ratio,raw_deflate_ratio,distinct_1,distinct_2,distinct_3,distinct_4".Split(','), .. ofModel.Select(pair => pair.Key)]));
            header = true;
            terminal.WriteLine(Csv.Line([s.Prompt, s.Item, .. new double?[]
            {
                s.Words, s.Utf8Len, s.GzipRatio, s.RawDeflateRatio, s.Distinct1, s.Distinct2, s.Distinct3, s.Distinct4,
            }.Concat(ofModel.Select(pair => (double?)pair.Value)).Select(Csv.Number)]));
        }
    }

    /// <summary>Reads texts alone with a model.</summary>
    private sealed class ModelReader(ILanguageModel model)
    {
        private readonly Replay _replay = new(model);
        private readonly MeasureCatalog _catalog = MeasureCatalog.For(new MeasureCatalogOptions());

        public JsonObject Read(string text)
        {
            var tokens = _replay.TokensOf("", text);
            var trace = _replay.Trace("", tokens, temperature: 0, referenceTemperatures: [], _catalog.Options.CaptureK, CancellationToken.None);
            var record = _catalog.Reduce(new GenerationResult(default, tokens, text, FinishReason.Stop, trace, model.Info.Fingerprint), TraceKeeping.None);
            var result = new JsonObject { ["tokens"] = (double)tokens.Length };
            foreach (var (measure, value) in _catalog.Measures.Zip(record.Measures))
                if (IsOfTextAlone(measure)) result[measure.Name] = double.IsFinite(value) ? value : null;
            return result;
        }

        /// <summary>What neither the temperature nor the capture changes.</summary>
        private static bool IsOfTextAlone(Measure measure) =>
            measure.Needs.HasFlag(MeasureNeeds.Distribution) && !measure.Needs.HasFlag(MeasureNeeds.Temperature)
            && !measure.Captured && measure.Feature is not TokenFeature.OutsideX;
    }
}
