using System.Text.Json;
using System.Threading.Channels;
using Silo.Experiments.Board;
using Silo.Experiments.Ranking;
using Silo.Local.Boards;
using Silo.Storage.Runs;

namespace Silo.Local.Running;

/// <summary>What is done once every text is kept or failed.</summary>
internal static class Finisher
{
    /// <summary>Stores the heuristic judge's ranks and the digest.</summary>
    public static void Finish(RunStore store)
    {
        IReadOnlyList<RankEvent> ranks = [];
        if (store.Plan.Spec.Gold.HeuristicJudge)
            using (var run = RunReader.Open(store.Directory.Path))
                ranks = new HeuristicJudge(run.Records([]).Select(r => new JudgedText(r.Key.Prompt, r.Key.Item, r.Text))).RankAll();
        var digest = store.Digest();
        store.Write(batch =>
        {
            foreach (var rank in ranks)
                batch.Rank(new NewRank(rank.Prompt, rank.Item, rank.Rater, rank.Panel, rank.Rank), "heuristic judge");
            batch.Finish(digest);
        });
    }

    /// <summary>Tells the final table, computing it and the report anew if need be.</summary>
    /// <returns>The report's path, or null where none was written.</returns>
    public static string? Report(RunRequest request, RunStore store, bool rewrite, ChannelWriter<RunEvent> events)
    {
        BoardTable table;
        using (var run = RunReader.Open(request.Directory))
        {
            if (!rewrite && run.BoardJson() is { } json && JsonSerializer.Deserialize(json, BoardJson.Default.BoardTable) is { } stored)
                table = stored;
            else
            {
                table = RunBoard.Of(run).Board.Read();
                rewrite = true;
            }
        }
        if (rewrite) store.Write(batch => batch.SetBoardJson(JsonSerializer.Serialize(table, BoardJson.Default.BoardTable)));
        events.TryWrite(new RunEvent.BoardChanged(table, Final: true));
        return null;
    }
}
