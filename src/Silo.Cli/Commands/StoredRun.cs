using System.CommandLine;
using Silo.Local.Models;
using Silo.Local.Running;
using Silo.Storage.Runs;

namespace Silo.Cli.Commands;

/// <summary>What the commands on a stored run share: the run, its model, and its results computed anew.</summary>
internal static class StoredRun
{
    /// <summary>The run directory.</summary>
    public static Argument<string> Directory() => Common.Path("DIR", "The run directory.");

    /// <summary>The model of the run, if it is not where it was.</summary>
    public static Option<string> Model() => new("--model")
    {
        Description = "The model that made the texts. Default: the one that the run was made with, if it is still there.",
        HelpName = "MODEL",
    };

    /// <summary>The given model, or the one that the run was made with if the file is untouched, or null.</summary>
    public static LocalModel? ModelOf(RunStore store, string? given)
    {
        if (given is not null) return new LocalModel(given);
        if (store.ModelStamp() is not { } stamp) return null;
        // path|size|time of change
        var end = stamp.LastIndexOf('|', stamp.LastIndexOf('|') - 1);
        var model = new LocalModel(stamp[..end]);
        return model.Stamp == stamp ? model : null;
    }

    /// <summary>Computes table and report anew and shows them.</summary>
    public static RunResult Refresh(RunStore store, LocalModel? model, Terminal terminal)
    {
        var result = RunResults.Refresh(store, model, report: true, always: true, CancellationToken.None);
        if (terminal.Json) return result;
        BoardDisplay.ShowLeading(terminal, result.Table);
        terminal.WriteLine("");
        if (result.Report is { } report) terminal.WriteLine($"report  {report}");
        return result;
    }
}
