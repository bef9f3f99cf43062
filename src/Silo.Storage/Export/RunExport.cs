using Silo.Core;
using Silo.Core.Features;
using Silo.Experiments.Generation;
using Silo.Experiments.Spec;
using Silo.Storage.Runs;

namespace Silo.Storage.Export;

/// <summary>
/// Writes a run as plain files: <c>experiment.json</c>, <c>generations.csv</c>, <c>measures.csv</c> and <c>ranks.csv</c>
/// (as <c>silo correlate</c> reads them), <c>rank_events.csv</c>, <c>failures.csv</c>, <c>tokens.npy</c> (int32, all
/// tokens one after the other), and where traces are kept <c>trace_full.npy</c> and <c>trace_captured.npy</c> (float32,
/// [tokens x temperatures x columns]) with <c>trace_columns.csv</c>. <c>tokens.csv</c> says where a text's tokens begin.
/// </summary>
public static class RunExport
{
    /// <summary>Writes all files into a folder, replacing those of the same names.</summary>
    /// <returns>The paths written, in order.</returns>
    /// <exception cref="SiloException">The folder cannot be written to.</exception>
    public static IReadOnlyList<string> Write(RunReader run, string folder)
    {
        var written = new List<string>();
        string File(string name)
        {
            var path = Path.Combine(folder, name);
            written.Add(path);
            return path;
        }
        try
        {
            Directory.CreateDirectory(folder);
            System.IO.File.WriteAllText(File("experiment.json"), SpecWriter.Write(run.Spec with { PromptsFile = null }));
            Generations(run, File("generations.csv"));
            Measures(run, File("measures.csv"));
            Ranks(run, File("ranks.csv"), File("rank_events.csv"));
            Failures(run, File("failures.csv"));
            Tokens(run, File("tokens.npy"), File("tokens.csv"));
            if (run.Spec.Traces != TraceKeeping.None) Traces(run, File("trace_full.npy"), File("trace_captured.npy"), File("trace_columns.csv"));
            return written;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new SiloException($"{folder}: the export cannot be written: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private static void Generations(RunReader run, string path)
    {
        using var csv = new CsvFile(path, "prompt", "item", "temperature", "sample", "finish", "tokens", "engine", "feature_sha256", "text");
        foreach (var r in run.Records([]))
            csv.Write(r.Key.Prompt, r.Key.Item, r.Key.Temperature, r.Key.Sample, r.Finish == FinishReason.Stop ? "stop" : "length",
                r.Tokens.Length, r.Engine, Convert.ToHexStringLower(r.FeatureHash), r.Text);
    }

    private static void Measures(RunReader run, string path)
    {
        var names = run.MeasureNames();
        // The controls come first, by the names that silo correlate knows them by.
        using var csv = new CsvFile(path, ["prompt", "item", "temperature", "length", .. names]);
        foreach (var r in run.Records(names))
            csv.Write([r.Key.Prompt, r.Key.Item, r.Key.Temperature, System.Text.Encoding.UTF8.GetByteCount(r.Text), .. r.Measures.Cast<object?>()]);
    }

    private static void Ranks(RunReader run, string current, string events)
    {
        var ranks = run.Ranks();
        var last = ranks.Select((r, i) => (r, i)).GroupBy(e => (e.r.Prompt, e.r.Item, e.r.Rater)).Select(g => g.Last().i).ToHashSet();
        using var now = new CsvFile(current, "prompt", "item", "rater", "rank", "panel");
        using var all = new CsvFile(events, "number", "revision", "came", "prompt", "item", "rater", "panel", "rank", "source");
        for (var i = 0; i < ranks.Count; i++)
        {
            var r = ranks[i];
            all.Write(r.Number, r.Revision, r.Came.ToString("O"), r.Prompt, r.Item, r.Rater, r.Panel, r.Rank, r.Source);
            if (last.Contains(i) && r.Rank is not null) now.Write(r.Prompt, r.Item, r.Rater, r.Rank, r.Panel);
        }
    }

    private static void Failures(RunReader run, string path)
    {
        using var csv = new CsvFile(path, "happened", "prompt", "item", "attempt", "final", "reason");
        foreach (var f in run.Failures()) csv.Write(f.Happened.ToString("O"), f.Prompt, f.Item, f.Attempt, f.Final ? 1 : 0, f.Reason);
    }

    private static void Tokens(RunReader run, string array, string index)
    {
        using var npy = new NpyFile(array, "<i4", run.Info().Tokens);
        using var csv = new CsvFile(index, "prompt", "item", "first", "count");
        long first = 0;
        foreach (var r in run.Records([]))
        {
            npy.Write(r.Tokens);
            csv.Write(r.Key.Prompt, r.Key.Item, first, r.Tokens.Length);
            first += r.Tokens.Length;
        }
    }

    private static void Traces(RunReader run, string full, string captured, string columns)
    {
        var temperatures = run.Spec.Traces == TraceKeeping.Own ? 1 : 1 + run.Spec.ReferenceTemperatures.Count;
        var tokens = run.Info().Tokens;
        using (var csv = new CsvFile(columns, "column", "name"))
            for (var i = 0; i < TokenFeatures.CapturedCount; i++) csv.Write(i, TokenFeatures.Names[i]);
        using var fullRows = new NpyFile(full, "<f4", tokens, temperatures, TokenFeatures.FullCount);
        using var capturedRows = new NpyFile(captured, "<f4", tokens, temperatures, TokenFeatures.CapturedCount);
        foreach (var r in run.Records([]))
        {
            var trace = run.Trace(r.Key)
                ?? new TokenTrace(r.Tokens.Length, new double[temperatures], Missing(r, temperatures * TokenFeatures.FullCount), Missing(r, temperatures * TokenFeatures.CapturedCount));
            fullRows.Write(trace.Full);
            capturedRows.Write(trace.Captured);
        }

        static double[] Missing(GenerationRecord record, int columns)
        {
            var rows = new double[record.Tokens.Length * columns];
            Array.Fill(rows, double.NaN);
            return rows;
        }
    }
}
