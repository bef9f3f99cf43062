using Silo.Core;
using Silo.Experiments.Plan;
using Silo.Storage.Files;
using Silo.Storage.Runs;

namespace Silo.Local.Running;

/// <summary>What came of ranking files.</summary>
/// <param name="Read">Ranks read.</param>
/// <param name="Added">Those of them that were new, corrections or withdrawals.</param>
public readonly record struct RanksTaken(int Read, int Added);

/// <summary>Takes ranking files into a run.</summary>
public static class RankIntake
{
    /// <summary>Adds the ranks of some files; those that are known already change nothing.</summary>
    /// <param name="store">The run.</param>
    /// <param name="files">The files, in order: a later one corrects an earlier one, and withdraws where its rank is empty.</param>
    /// <param name="again">Whether a rank counts that the same file said before, and another has corrected since.</param>
    /// <returns>How many ranks there were, and how many of them changed something.</returns>
    /// <exception cref="SiloException">A file cannot be read, or names a text that the experiment does not have.</exception>
    public static RanksTaken Take(RunStore store, IEnumerable<string> files, bool again = true)
    {
        var (read, added) = (0, 0);
        foreach (var file in files)
        {
            var rows = RankingFile.Read(file, withdrawals: true);
            foreach (var row in rows) Check(store.Plan, file, row);
            read += rows.Count;
            store.Write(batch =>
            {
                foreach (var row in rows)
                    if (batch.Rank(new NewRank(row.Prompt, row.Item, row.Rater, row.Panel, row.Rank), Path.GetFileName(file), again)) added++;
            });
        }
        return new RanksTaken(read, added);
    }

    private static void Check(ExperimentPlan plan, string file, RankRow row)
    {
        var prompt = plan.PromptIndex(row.Prompt);
        if (prompt < 0) throw InputFile.Error(file, row.Line, $"the experiment has no prompt {InputFile.Quote(row.Prompt)}");
        for (var i = 0; i < plan.Rows; i++)
            if (plan.Key(prompt, i).Item == row.Item) return;
        throw InputFile.Error(file, row.Line, $"prompt {InputFile.Quote(row.Prompt)} has no item {InputFile.Quote(row.Item)} (its first is {InputFile.Quote(plan.Key(prompt, 0).Item)})");
    }
}
