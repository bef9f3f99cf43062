using Silo.Core;

namespace Silo.Storage.Files;

/// <summary>One line of a ranking file.</summary>
/// <param name="Prompt">The prompt's id.</param>
/// <param name="Item">The text's name within its prompt.</param>
/// <param name="Rater">Who ranked.</param>
/// <param name="Panel">The panel the rater belongs to (humans, judges), or null.</param>
/// <param name="Rank">Any finite number, 1 = best, equal numbers are ties; null where the field is empty: the rater saw the text and gave no rank.</param>
public sealed record RankRow(string Prompt, string Item, string Rater, string? Panel, double? Rank)
{
    /// <summary>1-based line of the file, for messages.</summary>
    public long Line { get; init; }
}

/// <summary>
/// Reads rankings from CSV: <c>prompt,item,rater,rank</c> and optionally <c>panel</c>; further columns are ignored. Texts
/// that a rater did not rank are absent, or have an empty rank.
/// </summary>
public static class RankingFile
{
    /// <summary>Reads a file of rankings, in its order.</summary>
    /// <param name="path">The file.</param>
    /// <param name="withdrawals">Whether a file may have empty ranks alone: where ranks are kept already, an empty one withdraws them.</param>
    /// <exception cref="SiloException">A column is missing, a rank is no finite number, a rater ranked a text twice, or there is no rank.</exception>
    public static IReadOnlyList<RankRow> Read(string path, bool withdrawals = false)
    {
        using var rows = new CsvRows(path);
        int prompt = rows.Column("prompt"), item = rows.Column("item"), rater = rows.Column("rater"), rank = rows.Column("rank");
        var panel = Array.IndexOf(rows.Header, "panel");
        var seen = new HashSet<(string, string, string)>();
        var result = new List<RankRow>();
        while (rows.Read())
        {
            var row = (Prompt: rows.Text(prompt), Item: rows.Text(item), Rater: rows.Text(rater));
            if (!seen.Add(row))
                throw rows.Error($"rater {InputFile.Quote(row.Rater)} has two ranks for item {InputFile.Quote(row.Item)} of prompt {InputFile.Quote(row.Prompt)}");
            var named = panel >= 0 && rows.Field(panel) is { Length: > 0 } given ? given : null;
            result.Add(new RankRow(row.Prompt, row.Item, row.Rater, named, rows.Number(rank)) { Line = rows.Line });
        }
        return result.Any(row => withdrawals || row.Rank is not null) ? result : throw InputFile.Error(path, "has no ranks");
    }
}
