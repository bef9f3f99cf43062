using System.Globalization;
using System.Runtime.InteropServices;
using Silo.Core;
using Silo.Experiments.Board;
using Silo.Experiments.Generation;
using Silo.Experiments.Measures;
using Silo.Experiments.Spec;
using Silo.Local.Models;
using Silo.Reporting.Build;
using Silo.Reporting.Model;
using Silo.Reporting.Page;
using Silo.Reporting.Tables;
using Silo.Reporting.Texts;
using Silo.Storage.Runs;
using Stored = Silo.Local.Boards.Stored;

namespace Silo.Local.Reports;

/// <summary>Writes the report of a stored run.</summary>
public static class RunReport
{
    private const int FailureExamples = 3;

    /// <summary>Writes report.html and its tables into the run directory.</summary>
    /// <param name="run">The run.</param>
    /// <param name="catalog">Its measures.</param>
    /// <param name="table">What its board says.</param>
    /// <param name="model">The model, so that the report shows the distributions of some texts; null where it is not at hand.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="SiloException">The run directory cannot be written.</exception>
    public static void Write(RunReader run, MeasureCatalog catalog, BoardTable table, LocalModel? model, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        var report = ReportBuilder.Build(Source(run, catalog, table, model, cancellationToken));
        try
        {
            Directory.CreateDirectory(run.Directory.Tables);
            foreach (var csv in CsvTables.All(report))
                Replace(Path.Combine(run.Directory.Tables, csv.Name + ".csv"), path => File.WriteAllText(path, csv.Text));
            Replace(run.Directory.Report, path =>
            {
                using var stream = File.Create(path);
                HtmlReport.Write(report, stream);
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiloException($"{run.Directory.Report}: the report cannot be written: {e.Message}");
        }
    }

    private static ReportSource Source(
        RunReader run, MeasureCatalog catalog, BoardTable table, LocalModel? model, CancellationToken cancellationToken)
    {
        var info = run.Info();
        List<GenerationRecord> records = [.. run.Records([.. catalog.Measures.Select(m => m.Name)])];
        var shown = ShownTexts.Choose(run.Spec, records.Select(r => r.Key)).ToHashSet();
        var steps = model?.Model is { } language && StepReplay.Fits(language, info.Engines)
            ? new StepReplay(language, run.Spec) : null;
        return new ReportSource
        {
            Spec = run.Spec,
            SpecFile = SpecWriter.Write(run.Spec),
            Model = model?.Model?.Info.Name ?? Path.GetFileNameWithoutExtension(run.Spec.Model) ?? "the model that comes with Silo",
            Engine = info.Engines.Count > 0 ? string.Join(" and ", info.Engines) : "none: no text is finished yet",
            Digest = info.Digest ?? "",
            Versions = Versions(info),
            Failures = Failures(run),
            Commands = [$"silo run spec.json --out {run.Directory.Path}    # spec.json is the file below", $"silo report {run.Directory.Path}"],
            Catalog = catalog,
            Board = table,
            Generations = records,
            Ranks = [.. run.Ranks().Select(Stored.Event)],
            Traces = shown.Select(key => (key, Trace: run.Trace(key))).Where(t => t.Trace is not null).ToDictionary(t => t.key, t => t.Trace!),
            Details = steps is null ? new Dictionary<GenerationKey, IReadOnlyList<TokenDetail>>()
                : records.Where(r => shown.Contains(r.Key)).ToDictionary(r => r.Key, r => steps.Of(r, cancellationToken)),
        };
    }

    private static List<Fact> Versions(RunInfo info) =>
    [
        new("Silo", info.Version),
        new("Written with", $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}"),
        new("Begun", info.Created.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
        new("Time of generation", string.Create(CultureInfo.InvariantCulture, $"{info.Seconds:0.0} s")),
    ];

    private static List<Failure> Failures(RunReader run) =>
    [
        .. run.Failures().GroupBy(f => (f.Reason, f.Final))
            .Select(g => new Failure(g.Key.Final ? g.Key.Reason : g.Key.Reason + " (tried again)", g.Count(), [.. g.Take(FailureExamples).Select(f => $"{f.Prompt}/{f.Item}")])),
        .. run.Discards().GroupBy(d => d.Engine, StringComparer.Ordinal)
            .Select(g => new Failure($"made by {g.Key} and made anew, for one prompt never mixes engines", g.Sum(d => d.Texts), [.. g.Take(FailureExamples).Select(d => d.Prompt)])),
    ];

    /// <summary>Writes beside the file and moves it into place, so that no reader ever sees half of it.</summary>
    private static void Replace(string path, Action<string> write)
    {
        var half = path + ".new";
        write(half);
        File.Move(half, path, overwrite: true);
    }
}
