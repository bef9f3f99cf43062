using Silo.Core;
using Silo.Core.Statistics;
using Silo.Experiments.Controls;

namespace Silo.Experiments.Board;

/// <summary>
/// The texts of one prompt, ready to be correlated: for each column (the controls, then the measures) its values and
/// their centred mid-ranks, computed once however many ranks arrive.
/// </summary>
public sealed class PromptTexts
{
    private readonly double[] _values;
    private readonly int[] _centred;
    private readonly bool[] _hasNaN;

    /// <summary>Prepares the texts of a prompt. Their order has no influence: they are ordered by item.</summary>
    /// <param name="design">The board's design.</param>
    /// <param name="texts">The texts that exist; a failed generation is no text.</param>
    /// <exception cref="SiloException">An item stands twice.</exception>
    /// <exception cref="ArgumentException">A text has not one value for each measure.</exception>
    public PromptTexts(BoardDesign design, IReadOnlyList<BoardText> texts)
    {
        var ordered = texts.OrderBy(t => t.Item, StringComparer.Ordinal).ToArray();
        for (var i = 1; i < ordered.Length; i++)
            if (ordered[i].Item == ordered[i - 1].Item) throw new SiloException($"item '{ordered[i].Item}' stands twice in its prompt");
        if (Array.Exists(ordered, t => t.Measures.Length != design.Measures.Count))
            throw new ArgumentException($"{design.Measures.Count} values per text expected", nameof(texts));
        Items = [.. ordered.Select(t => t.Item)];
        Temperatures = [.. ordered.Select(t => t.Temperature)];
        PairKinds = KindsOfPairs(design.Temperatures);

        var controls = Control.Columns.Count;
        Columns = controls + design.Measures.Count;
        _values = new double[Columns * Count];
        _centred = new int[Columns * Count];
        _hasNaN = new bool[Columns];
        var hottest = Temperatures.Length == 0 ? double.NaN : Temperatures.Max();
        for (var i = 0; i < Count; i++)
        {
            var text = ordered[i];
            _values[0 * Count + i] = text.Temperature;
            _values[1 * Count + i] = double.IsNaN(text.Temperature) ? double.NaN : text.Temperature == hottest ? 1 : 0;
            _values[2 * Count + i] = text.Length;
            _values[3 * Count + i] = text.OutsideCapture;
            for (var m = 0; m < text.Measures.Length; m++) _values[(controls + m) * Count + i] = text.Measures[m];
        }
        for (var c = 0; c < Columns; c++)
        {
            _hasNaN[c] = AnyNaN(Values(c));
            if (!_hasNaN[c]) MidRanks.Centred(Values(c), _centred.AsSpan(c * Count, Count));
        }
    }

    /// <summary>The items' names, ordered.</summary>
    public string[] Items { get; }

    /// <summary>Each item's temperature; NaN where not known.</summary>
    public double[] Temperatures { get; }

    /// <summary>Number of texts.</summary>
    public int Count => Items.Length;

    /// <summary>Number of columns: the controls, then the measures.</summary>
    public int Columns { get; }

    /// <summary>[items x items] the kind of each pair, see <see cref="PairKind"/>.</summary>
    internal int[,] PairKinds { get; }

    /// <summary>The values of a column, by item; NaN where undefined.</summary>
    public ReadOnlySpan<double> Values(int column) => _values.AsSpan(column * Count, Count);

    /// <summary>
    /// Centred mid-ranks of a column among some of the items, into <paramref name="ranks"/>; false where a value is missing.
    /// </summary>
    internal bool TryRank(int column, int[] items, Span<int> ranks)
    {
        if (items.Length == Count)
        {
            if (_hasNaN[column]) return false;
            _centred.AsSpan(column * Count, Count).CopyTo(ranks);
            return true;
        }
        Span<double> some = items.Length <= 128 ? stackalloc double[items.Length] : new double[items.Length];
        for (var i = 0; i < items.Length; i++) some[i] = _values[column * Count + items[i]];
        if (AnyNaN(some)) return false;
        MidRanks.Centred(some, ranks);
        return true;
    }

    private static bool AnyNaN(ReadOnlySpan<double> values)
    {
        foreach (var value in values)
            if (double.IsNaN(value)) return true;
        return false;
    }

    // For each two items: 0, or the number of their two temperatures' kind.
    private int[,] KindsOfPairs(IReadOnlyList<double> temperatures)
    {
        var kinds = new int[Count, Count];
        for (var i = 0; i < Count; i++)
            for (var j = 0; j < i; j++)
                kinds[i, j] = kinds[j, i] = PairKind.Of(temperatures, Temperatures[i], Temperatures[j]);
        return kinds;
    }
}
