using System.Text.Json;
using Silo.Core;
using Silo.Experiments.Board;
using Silo.Experiments.Ranking;
using Silo.Local.Boards;
using Silo.Local.Models;
using Silo.Local.Reports;
using Silo.Storage.Runs;

namespace Silo.Local.Running;

/// <summary>What a stored run comes to.</summary>
/// <param name="Table">Its table.</param>
/// <param name="Report">Path of its report, or null where none is written.</param>
public sealed record RunResult(BoardTable Table, string? Report);

/// <summary>Computes what a stored run comes to, and keeps it with the run.</summary>
public static class RunResults
{
    /// <summary>Stores the heuristic judge's ranks and the digest: every text is kept or failed.</summary>
    internal static void Finish(RunStore store)
    {
        IReadOnlyList<RankEvent> ranks = [];
        if (store.Plan.Spec.Gold.HeuristicJudge)
            using (var run = RunReader.Open(store.Directory.Path))
                ranks = new HeuristicJudge(run.Records([]).Select(r => new JudgedText(r.Key.Prompt, r.Key.Item, r.Text))).RankAll();
        var digest = store.Digest();
        store.Write(batch =>
        {
            foreach (var rank in ranks)
                batch.Rank(new NewRank(rank.Prompt, rank.Item, rank.Rater, rank.Panel, rank.Rank), HeuristicJudge.Name + " judge");
            batch.Finish(digest);
        });
    }

    /// <summary>Computes table and report anew if need be; call it after ranks or measures were added.</summary>
    /// <param name="store">The run.</param>
    /// <param name="model">The model, so that the report shows the distributions of some texts; null where it is not at hand.</param>
    /// <param name="report">Whether to write the report.</param>
    /// <param name="always">Compute them even if they are there.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="SiloException">The report cannot be written.</exception>
    public static RunResult Refresh(RunStore store, LocalModel? model, bool report, bool always, CancellationToken cancellationToken)
    {
        using var run = RunReader.Open(store.Directory.Path);
        var written = File.Exists(store.Directory.Report);
        if (!always && (written || !report) && Stored(run) is { } known) return new RunResult(known, written ? store.Directory.Report : null);
        var board = RunBoard.Of(run);
        var table = board.Board.Read();
        store.Write(batch => batch.SetBoardJson(JsonSerializer.Serialize(table, BoardJson.Default.BoardTable)));
        if (report) RunReport.Write(run, board.Catalog, table, model, cancellationToken);
        return new RunResult(table, report ? store.Directory.Report : null);
    }

    private static BoardTable? Stored(RunReader run)
    {
        try
        {
            return run.Info().Finished is not null && run.BoardJson() is { } json
                ? JsonSerializer.Deserialize(json, BoardJson.Default.BoardTable) : null;
        }
        catch (JsonException)
        {
            // A table that another version wrote: computed anew.
            return null;
        }
    }
}
