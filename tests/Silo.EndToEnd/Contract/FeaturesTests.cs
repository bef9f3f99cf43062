using System.Globalization;
using System.Text;
using System.Text.Json;
using Silo.Core.Features;
using Silo.Core.Tests.Features;

namespace Silo.EndToEnd.Contract;

public class FeaturesTests
{
    // The two rows of 128,256 logits are checked in Silo.Core's tests; as JSON they are a hundred megabytes.
    private const int LargestVocabulary = 5000;

    [Fact]
    public async Task Golden_rows_give_the_golden_features()
    {
        using var folder = new TemporaryFolder();
        var cases = GoldenRows.Cases().Where(c => GoldenRows.Rows[c.Row].Length <= LargestVocabulary).ToArray();
        foreach (var sameK in cases.GroupBy(c => c.K ?? 200))
        {
            var rows = sameK.DistinctBy(Key).ToArray();
            var file = folder.Write($"rows{sameK.Key}.jsonl", string.Concat(rows.Select(c =>
                $$"""{"id":"{{Key(c)}}","logits":[{{Join(GoldenRows.Rows[c.Row])}}],"temperature":{{Invariant(c.T)}},"token":{{c.X}}}""" + "\n")));
            var outcome = await SiloProcess.RunAsync("features", "--rows", file, "--k", $"{sameK.Key}", "--json");
            Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
            var answers = outcome.Lines.Select(line => JsonElement.Parse(line)).ToDictionary(answer => answer.GetProperty("id").GetString()!);
            Assert.Equal(rows.Select(Key).Order(), answers.Keys.Order());
            foreach (var expected in sameK)
                GoldenRows.Check(expected, Values(answers[Key(expected)].GetProperty(expected.K is null ? "features" : "captured")), 1e-9);
        }
    }

    [Fact]
    public async Task The_top_of_a_row_gives_the_captured_features_of_the_whole_row()
    {
        using var folder = new TemporaryFolder();
        var expected = GoldenRows.Cases().First(c => c.K == 200 && GoldenRows.Rows[c.Row] is { Length: >= 1000 } z && z.All(float.IsFinite) && Rank(z, c.X) > 200);
        var row = GoldenRows.Rows[expected.Row];
        var top = Enumerable.Range(0, row.Length).OrderByDescending(id => row[id]).Take(200).Append(expected.X).Reverse()
            .Select(id => $"[{id},{Invariant(row[id])}]");
        var max = (double)row.Max();
        var logZ = max + Math.Log(row.Sum(z => Math.Exp(z - max)));
        var body = $"\"top\":[{string.Join(',', top)}],\"temperature\":{Invariant(expected.T)},\"token\":{expected.X}";
        var outcome = await SiloProcess.RunAsync("features", "--json", "--rows", folder.Write("top.jsonl",
            $$"""
            {"id":1,"log_z":{{Invariant(logZ)}},{{body}}}
            {"id":2,{{body}}}

            """));
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        var answers = outcome.Lines.Select(line => JsonElement.Parse(line)).ToArray();
        GoldenRows.Check(expected, Values(answers[0].GetProperty("captured")), 1e-9);
        foreach (var answer in answers)
        {
            Assert.Equal("top", answer.GetProperty("of").GetString());
            Assert.False(answer.TryGetProperty("features", out _));
        }
        Assert.Equal(JsonValueKind.Null, answers[1].GetProperty("captured").GetProperty("captured_mass").ValueKind);
    }

    [Fact]
    public async Task Without_json_the_lines_are_csv()
    {
        using var folder = new TemporaryFolder();
        var outcome = await SiloProcess.RunAsync("features", "--rows", folder.Write("r.jsonl",
            """{"id":"a,\"b\"","logits":[0.5,-0.0,"-Infinity"],"temperature":0.5,"token":1}"""));
        Assert.StartsWith("id,of,width_p_50,", outcome.Lines[0], StringComparison.Ordinal);
        Assert.StartsWith("\"a,\"\"b\"\"\",row,1,2,", outcome.Lines[1], StringComparison.Ordinal);
        Assert.EndsWith(",1,3,0", outcome.Lines[1], StringComparison.Ordinal);
    }

    private static string Key(GoldenRows.Case c) => $"{c.Row}/{Invariant(c.T)}/{c.X}";

    private static int Rank(float[] z, int x) => 1 + z.Index().Count(e => e.Item > z[x] || (e.Item == z[x] && e.Index < x));

    private static double[] Values(JsonElement row)
    {
        var values = row.EnumerateObject().ToArray();
        Assert.Equal(TokenFeatures.Names[..values.Length], values.Select(value => value.Name).ToArray());
        return [.. values.Select(value => value.Value.GetDouble())];
    }

    private static string Join(float[] logits)
    {
        var text = new StringBuilder();
        foreach (var z in logits) text.Append(text.Length > 0 ? "," : "").Append(float.IsNegativeInfinity(z) ? "\"-Infinity\"" : Invariant(z));
        return text.ToString();
    }

    private static string Invariant(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
