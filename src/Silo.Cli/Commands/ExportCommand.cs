using System.CommandLine;
using Silo.Cli.Results;
using Silo.Storage.Export;
using Silo.Storage.Runs;

namespace Silo.Cli.Commands;

/// <summary><c>silo export</c>: a stored run as plain files.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var directory = StoredRun.Directory();
        var output = Common.Out("The folder to write to. Default: export/ in the run directory.", "FOLDER");
        return new Command("export", "Write a stored run as CSV and .npy: texts, measures, ranks, token traces.") { directory, output }
            .WithExamples(
                "silo export runs/before-and-after",
                "silo correlate --features runs/before-and-after/export/measures.csv --ranks people.csv")
            .Does((result, terminal) =>
            {
                using var run = RunReader.Open(result.GetRequiredValue(directory));
                var written = RunExport.Write(run, result.GetValue(output) ?? Path.Combine(run.Directory.Path, "export"));
                if (terminal.Json) terminal.WriteJson(new ExportResult(written), CliJson.Readable.ExportResult);
                else foreach (var path in written) terminal.WriteLine(path);
            });
    }
}
