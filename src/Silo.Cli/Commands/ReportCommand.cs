using System.CommandLine;
using Silo.Cli.Results;
using Silo.Storage.Runs;

namespace Silo.Cli.Commands;

/// <summary><c>silo report</c>: writes a stored run's report anew.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        var directory = StoredRun.Directory();
        var model = StoredRun.Model();
        return new Command("report", "Write the report of a stored run anew: report.html and its tables, in the run directory.") { directory, model }
            .WithExamples("silo report runs/before-and-after")
            .Does(async (result, terminal) =>
            {
                using var store = RunStore.OpenExisting(result.GetRequiredValue(directory), TimeProvider.System);
                await using var opened = StoredRun.ModelOf(store, result.GetValue(model));
                var refreshed = StoredRun.Refresh(store, opened, terminal);
                if (terminal.Json) terminal.WriteJson(new ReportResult(refreshed.Report), CliJson.Readable.ReportResult);
                return ExitCode.Done;
            });
    }
}
