using System.CommandLine;
using Silo.Cli.Results;
using Silo.Local.Running;
using Silo.Storage.Runs;

namespace Silo.Cli.Commands;

/// <summary><c>silo rank</c>: takes rankings into a stored run; nothing is generated.</summary>
internal static class RankCommand
{
    public static Command Create()
    {
        var directory = StoredRun.Directory();
        var ranks = new Option<string[]>("--ranks")
        {
            Description = "CSV with the columns prompt,item,rater,rank (1 = best) and optionally panel; may be given several times. A later rank of the same rater corrects the earlier one, an empty one withdraws it.",
            HelpName = "FILE",
            Required = true,
        };
        var model = StoredRun.Model();
        return new Command("rank", "Take rankings into a stored run, and compute its table and report anew.") { directory, ranks, model }
            .WithExamples("silo rank runs/before-and-after --ranks people.csv")
            .Does(async (result, terminal) =>
            {
                using var store = RunStore.OpenExisting(result.GetRequiredValue(directory), TimeProvider.System);
                var taken = RankIntake.Take(store, result.GetRequiredValue(ranks));
                if (!terminal.Json) terminal.WriteLine($"{Numbers.Count(taken.Read)} ranks read, {Numbers.Count(taken.Added)} of them new, corrections or withdrawals");
                await using var opened = StoredRun.ModelOf(store, result.GetValue(model));
                var refreshed = StoredRun.Refresh(store, opened, terminal);
                if (terminal.Json) terminal.WriteJson(new RankResult(taken.Read, taken.Added, refreshed.Report), CliJson.Readable.RankResult);
                return ExitCode.Done;
            });
    }
}
