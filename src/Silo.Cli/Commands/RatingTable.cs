using Silo.Core.Statistics;
using Silo.Storage.Files;

namespace Silo.Cli.Commands;

/// <summary>Rankings as matrices: per prompt a row for every rater by name, the same in all prompts, and a column for every item.</summary>
internal sealed class RatingTable
{
    private RatingTable(IReadOnlyList<string> raters) => Raters = raters;

    /// <summary>The names of the raters, in order of appearance.</summary>
    public IReadOnlyList<string> Raters { get; }

    /// <summary>The prompts and their items, in order of appearance.</summary>
    public List<(string Prompt, IReadOnlyList<string> Items)> Prompts { get; } = [];

    /// <summary>A matrix for each prompt; NaN where a rank is missing.</summary>
    public List<RatingMatrix> Matrices { get; } = [];

    /// <summary>Pairs of raters, over all prompts, who both have lines there though one of them gave no rank.</summary>
    public int SilentPairs { get; private set; }

    /// <summary>Puts the lines of a ranking file into matrices.</summary>
    public static RatingTable Of(IReadOnlyList<RankRow> rows)
    {
        var raters = rows.Select(row => row.Rater).Distinct(StringComparer.Ordinal).ToArray();
        var number = raters.Index().ToDictionary(rater => rater.Item, rater => rater.Index, StringComparer.Ordinal);
        var table = new RatingTable(raters);
        foreach (var prompt in rows.GroupBy(row => row.Prompt, StringComparer.Ordinal))
        {
            var items = prompt.Select(row => row.Item).Distinct(StringComparer.Ordinal).ToArray();
            var column = items.Index().ToDictionary(item => item.Item, item => item.Index, StringComparer.Ordinal);
            var values = new double[raters.Length * items.Length];
            Array.Fill(values, double.NaN);
            var present = new bool[raters.Length];
            foreach (var row in prompt)
            {
                present[number[row.Rater]] = true;
                values[number[row.Rater] * items.Length + column[row.Item]] = row.Rank ?? double.NaN;
            }
            var matrix = new RatingMatrix(raters.Length, items.Length, values);
            table.Prompts.Add((prompt.Key, items));
            table.Matrices.Add(matrix);
            table.SilentPairs += SilentPairsOf(matrix, present);
        }
        return table;
    }

    private static int SilentPairsOf(RatingMatrix matrix, bool[] present)
    {
        var there = Enumerable.Range(0, present.Length).Where(rater => present[rater]).ToArray();
        var spoke = there.Count(rater => !matrix.IsAbsent(rater));
        return (there.Length * (there.Length - 1) - spoke * (spoke - 1)) / 2;
    }
}
