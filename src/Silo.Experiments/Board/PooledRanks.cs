using Silo.Core.Statistics;

namespace Silo.Experiments.Board;

/// <summary>
/// Correlations over all texts of all prompts at once (SCHEMA 5.2), with the sign turned: positive when larger values
/// go with better ranks. Prompts where a column lacks a value are left out for that column.
/// </summary>
internal sealed class PooledRanks
{
    private readonly GoldReading.RatedPrompt[] _rated;
    private readonly double[] _gold;

    public PooledRanks(GoldReading.RatedPrompt[] rated)
    {
        _rated = rated;
        _gold = [.. rated.SelectMany(r => GoldOf(r.Row))];
    }

    /// <summary>Spearman of the column with the prompts' own mid-ranks of gold.</summary>
    public double? Rho(int column)
    {
        var (values, merit) = Collect(column, (entry, row, into) =>
        {
            var all = entry.Texts!.Values(column);
            for (var i = 0; i < into.Length; i++) into[i] = all[row.Gold.Items[i]];
        });
        return Spearman.Rho(values, merit);
    }

    /// <summary>Pearson of the within-prompt mid-ranks of both.</summary>
    public double? WithinRankRho(int column)
    {
        var (values, merit) = Collect(column, (entry, row, into) =>
        {
            Span<int> ranks = into.Length <= 128 ? stackalloc int[into.Length] : new int[into.Length];
            entry.Texts!.TryRank(column, row.Gold.Items, ranks);
            for (var i = 0; i < into.Length; i++) into[i] = (ranks[i] + into.Length + 1) / 2.0;
        });
        return Pearson.Correlation(values, merit);
    }

    private delegate void Fill(PromptEntry entry, RhoRow row, Span<double> into);

    private (double[] Values, double[] Merit) Collect(int column, Fill fill)
    {
        var complete = Array.TrueForAll(_rated, r => r.Row.HasValues[column]);
        var merit = complete ? _gold : [.. _rated.Where(r => r.Row.HasValues[column]).SelectMany(r => GoldOf(r.Row))];
        var values = new double[merit.Length];
        var next = 0;
        foreach (var (entry, row) in _rated)
        {
            if (!row.HasValues[column]) continue;
            fill(entry, row, values.AsSpan(next, row.Gold.Items.Length));
            next += row.Gold.Items.Length;
        }
        return (values, merit);
    }

    // Ranks run from 1 = best; their negatives, not the ranks of merit, are comparable between prompts of different size.
    private static IEnumerable<double> GoldOf(RhoRow row) =>
        row.Gold.Merit.Select(m => (m - row.Gold.Merit.Length - 1) / 2.0);
}
