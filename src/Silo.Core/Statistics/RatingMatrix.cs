namespace Silo.Core.Statistics;

/// <summary>
/// What raters said of one prompt's items: a rank or a score for each rater and item, NaN where missing. Where several
/// prompts are taken together, row r is the same rater in each of them.
/// </summary>
public readonly struct RatingMatrix
{
    private readonly double[] _values;

    /// <summary>Wraps the values without copying them.</summary>
    /// <param name="raters">Number of rows.</param>
    /// <param name="items">Number of columns.</param>
    /// <param name="values">raters x items numbers, row after row; NaN is missing.</param>
    /// <exception cref="ArgumentException">The number of values is not raters x items.</exception>
    public RatingMatrix(int raters, int items, double[] values)
    {
        MidRanks.RequireLength(raters * items, values.Length);
        (Raters, Items, _values) = (raters, items, values);
    }

    /// <summary>Number of raters, those who rated nothing included.</summary>
    public int Raters { get; }

    /// <summary>Number of items.</summary>
    public int Items { get; }

    /// <summary>One rater's values of the items.</summary>
    public ReadOnlySpan<double> this[int rater] => _values.AsSpan(rater * Items, Items);

    /// <summary>Whether the rater has a value for every item, of which there is one at least.</summary>
    public bool IsComplete(int rater) => Items > 0 && !MidRanks.HasNaN(this[rater]);

    /// <summary>Whether the rater has no value at all.</summary>
    public bool IsAbsent(int rater)
    {
        foreach (double value in this[rater])
            if (!double.IsNaN(value)) return false;
        return true;
    }
}
