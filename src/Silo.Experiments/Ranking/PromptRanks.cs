namespace Silo.Experiments.Ranking;

/// <summary>
/// All ranks of one prompt as they stand: for each rater and item the event of the highest revision. Its content does
/// not depend on the order in which events came, nor on how often; two of them merge.
/// </summary>
public sealed class PromptRanks
{
    private readonly SortedDictionary<string, SortedDictionary<string, Entry>> _byRater = new(StringComparer.Ordinal);

    private readonly record struct Entry(string? Panel, double? Rank, long Revision)
    {
        /// <summary>A total order: the later revision wins; of two with one revision, one wins whatever came first.</summary>
        public bool Beats(Entry other)
        {
            if (Revision != other.Revision) return Revision > other.Revision;
            var order = Nullable.Compare(Rank, other.Rank);
            return order != 0 ? order < 0 : string.CompareOrdinal(Panel, other.Panel) < 0;
        }
    }

    /// <summary>Whether some rank that stands was corrected or withdrawn.</summary>
    public bool Corrected => _byRater.Values.Any(items => items.Values.Any(e => e.Revision > 0 || e.Rank is null));

    /// <summary>Number of ranks that stand.</summary>
    public int Count => _byRater.Values.Sum(items => items.Values.Count(e => e.Rank is not null));

    /// <summary>Takes an event; false if it changes nothing.</summary>
    /// <exception cref="ArgumentException">The rank is not finite.</exception>
    public bool Apply(RankEvent rank)
    {
        if (rank.Rank is { } value && !double.IsFinite(value)) throw new ArgumentException("a rank is a finite number", nameof(rank));
        return Put(rank.Rater, rank.Item, new(rank.Panel, rank.Rank, rank.Revision));
    }

    /// <summary>Takes all events of another account of the same prompt.</summary>
    public void Merge(PromptRanks other)
    {
        foreach (var (rater, items) in other._byRater)
            foreach (var (item, entry) in items)
                Put(rater, item, entry);
    }

    /// <summary>Names of items that have a standing rank.</summary>
    public IEnumerable<string> RankedItems() =>
        _byRater.Values.SelectMany(items => items.Where(e => e.Value.Rank is not null).Select(e => e.Key)).Distinct(StringComparer.Ordinal);

    /// <summary>
    /// The standing ranks as one row a rater (ordered by panel, then name), of which at least one item is ranked.
    /// </summary>
    /// <param name="items">The prompt's items; ranks of others are left out.</param>
    /// <returns>Rows of ranks in the order of <paramref name="items"/>, NaN where missing.</returns>
    public IReadOnlyList<RaterRow> Rows(IReadOnlyList<string> items)
    {
        var rows = new SortedDictionary<(string Panel, string Rater), double[]>(Comparer<(string Panel, string Rater)>.Create(
            (a, b) => string.CompareOrdinal(a.Panel, b.Panel) is var c && c != 0 ? c : string.CompareOrdinal(a.Rater, b.Rater)));
        foreach (var (rater, entries) in _byRater)
        {
            for (var i = 0; i < items.Count; i++)
            {
                if (!entries.TryGetValue(items[i], out var entry) || entry.Rank is not { } rank) continue;
                var key = (entry.Panel ?? "", rater);
                if (!rows.TryGetValue(key, out var row)) rows[key] = row = Missing(items.Count);
                row[i] = rank;
            }
        }
        return [.. rows.Select(r => new RaterRow(r.Key.Panel.Length == 0 ? null : r.Key.Panel, r.Key.Rater, r.Value))];
    }

    private bool Put(string rater, string item, Entry entry)
    {
        if (!_byRater.TryGetValue(rater, out var items)) _byRater[rater] = items = new(StringComparer.Ordinal);
        if (items.TryGetValue(item, out var standing) && !entry.Beats(standing)) return false;
        items[item] = entry;
        return true;
    }

    private static double[] Missing(int count)
    {
        var row = new double[count];
        Array.Fill(row, double.NaN);
        return row;
    }
}

/// <summary>One rater's ranks of a prompt's items.</summary>
/// <param name="Panel">The panel, or null.</param>
/// <param name="Rater">The rater's name.</param>
/// <param name="Ranks">A rank for each item, 1 = best; NaN where missing.</param>
public sealed record RaterRow(string? Panel, string Rater, double[] Ranks)
{
    /// <summary>Whether every item has a rank.</summary>
    public bool IsComplete => Array.TrueForAll(Ranks, r => !double.IsNaN(r));
}
