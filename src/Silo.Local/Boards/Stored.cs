using Silo.Experiments.Ranking;
using Silo.Storage.Runs;

namespace Silo.Local.Boards;

/// <summary>Stored ranks as the board takes them.</summary>
internal static class Stored
{
    public static RankEvent Event(StoredRank rank) =>
        new(rank.Prompt, rank.Item, rank.Rater, rank.Panel, rank.Rank, rank.Revision);
}
