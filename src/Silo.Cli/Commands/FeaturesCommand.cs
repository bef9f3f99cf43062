using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Silo.Core;
using Silo.Core.Features;
using Silo.Storage.Files;

namespace Silo.Cli.Commands;

/// <summary>
/// <c>silo features</c>: the token features of logits that were made elsewhere, in plain float64. Where only the top of a
/// row is known, only captured features exist, and the output says so.
/// </summary>
internal static class FeaturesCommand
{
    public static Command Create()
    {
        var rows = Common.File("--rows", """JSON lines {"id","logits":[number or "-Infinity"],"temperature","token"}; or, when only the top is known, "top":[[id,logit],...] with optional "log_z" in the place of "logits".""");
        var k = Common.Whole("--k", 200, 1, int.MaxValue, "K of the captured features: the K most probable tokens and the sampled one.");
        return new Command("features", "Token features of your own logits: p = softmax(z) against q = softmax(z / T), a line for every row.") { rows, k }
            .WithExamples(
                "silo features --rows rows.jsonl > features.csv",
                "silo features --rows rows.jsonl --k 50 --json > features.jsonl")
            .Does((result, terminal) =>
            {
                var header = terminal.Json;
                foreach (var row in LogitsFile.Read(result.GetRequiredValue(rows)))
                {
                    var (full, captured) = Compute(row, result.GetValue(k));
                    if (!header) terminal.WriteLine(Header());
                    header = true;
                    terminal.WriteLine(terminal.Json ? ToJson(row, full, captured) : ToCsv(row, full, captured));
                }
            });
    }

    private static (double[]? Full, double[] Captured) Compute(LogitsRow row, int k)
    {
        try
        {
            var captured = ReferenceFeatures.Captured(row.Logits, row.Temperature, row.Token, k);
            if (row.TopIds is null) return (ReferenceFeatures.Full(row.Logits, row.Temperature, row.Token), captured);
            captured[(int)TokenFeature.CapturedMass] = MassOfTop(row, captured[(int)TokenFeature.CapturedMass]);
            return (null, captured);
        }
        catch (SiloException e)
        {
            throw new SiloException($"{row.Place}: id {row.IdJson}: {e.Message}", e);
        }
    }

    /// <summary>Mass of the kept tokens under the whole row's softmax: known if the normaliser was recorded.</summary>
    private static double MassOfTop(LogitsRow row, double shareOfTop)
    {
        if (row.LogZ is not { } logZ) return double.NaN;
        var max = (double)row.Logits.Max();
        var logTop = max + Math.Log(row.Logits.Sum(z => Math.Exp(z - max)));
        var massOfTop = Math.Exp(logTop - logZ);
        // Servers give logits and normalisers in single precision.
        return massOfTop <= 1.001
            ? Math.Min(1, massOfTop) * shareOfTop
            : throw new SiloException($"log_z is {logZ.ToString(CultureInfo.InvariantCulture)}, less than the top alone gives ({logTop.ToString(CultureInfo.InvariantCulture)})");
    }

    private static string Header() => Csv.Line(
        ["id", "of", .. TokenFeatures.Names[..TokenFeatures.FullCount], .. TokenFeatures.Names.ToArray().Select(name => $"captured.{name}")]);

    private static string ToCsv(LogitsRow row, double[]? full, double[] captured) => Csv.Line(
    [
        row.IdJson[0] == '"' ? JsonElement.Parse(row.IdJson).GetString()! : row.IdJson,
        full is null ? "top" : "row",
        .. (full ?? Enumerable.Repeat(double.NaN, TokenFeatures.FullCount)).Select(value => Csv.Number(value)),
        .. captured.Select(value => Csv.Number(value)),
    ]);

    private static string ToJson(LogitsRow row, double[]? full, double[] captured)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WritePropertyName("id");
        writer.WriteRawValue(row.IdJson);
        // Which distribution was known: the whole row, or its top alone.
        writer.WriteString("of", full is null ? "top" : "row");
        if (full is not null) Write(writer, "features", full);
        Write(writer, "captured", captured);
        writer.WriteEndObject();
        writer.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter writer, string key, double[] values)
    {
        writer.WriteStartObject(key);
        for (var column = 0; column < values.Length; column++)
        {
            if (double.IsFinite(values[column])) writer.WriteNumber(TokenFeatures.Names[column], values[column]);
            else writer.WriteNull(TokenFeatures.Names[column]);
        }
        writer.WriteEndObject();
    }
}
