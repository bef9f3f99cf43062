using System.CommandLine;
using Silo.Cli.Results;
using Silo.Core.Baselines;
using Silo.Core.Text;
using Silo.Storage.Files;

namespace Silo.Cli.Commands;

/// <summary><c>silo score</c>: the measures of texts that were made elsewhere.</summary>
internal static class ScoreCommand
{
    public static Command Create()
    {
        var texts = Common.File("--texts", """JSON lines {"prompt","item","text"}.""");
        return new Command("score", "Measures of your own texts: length, compression, distinct n-grams.") { texts }
            .WithExamples("silo score --texts texts.jsonl > measures.csv", "silo correlate --features measures.csv --ranks ranks.csv")
            .Does((result, terminal) =>
            {
                var scores = TextFile.Read(result.GetRequiredValue(texts)).Select(Of);
                if (terminal.Json) terminal.WriteJson(new ScoreResult([.. scores]), CliJson.Readable.ScoreResult);
                else Show(terminal, [.. scores]);
            });
    }

    private static TextScore Of(TextRow row)
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
        };
    }

    private static void Show(Terminal terminal, IReadOnlyList<TextScore> scores)
    {
        terminal.WriteLine("prompt,item,length,utf8_len,gzip_ratio,raw_deflate_ratio,distinct_1,distinct_2,distinct_3,distinct_4");
        foreach (var s in scores)
        {
            terminal.WriteLine(Csv.Line([s.Prompt, s.Item, .. new double?[]
            {
                s.Words, s.Utf8Len, s.GzipRatio, s.RawDeflateRatio, s.Distinct1, s.Distinct2, s.Distinct3, s.Distinct4,
            }.Select(Csv.Number)]));
        }
    }
}
