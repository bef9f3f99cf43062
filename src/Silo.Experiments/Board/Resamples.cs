using System.Buffers;
using System.Collections.Concurrent;
using System.Numerics.Tensors;
using Silo.Core.Numerics;
using Silo.Core.Statistics;

namespace Silo.Experiments.Board;

/// <summary>
/// One set of resamples of prompts, used for every column of a gold, so that differences are paired within each
/// resample and the cost is that of a matrix product. Percentile bootstrap over prompts: as many prompts as there are
/// are drawn with replacement (undefined ones take part in the draw), or, for many prompts, each counts Poisson(1) times.
/// Several threads may read from it.
/// </summary>
internal sealed class Resamples
{
    private readonly byte[][] _weights;
    private readonly ConcurrentDictionary<PromptMask, double[]> _counts = [];
    private readonly Lazy<double[]> _all;
    private readonly double _level;

    public Resamples(BoardDesign design, IReadOnlyList<string> prompts)
    {
        Count = design.Resamples;
        Poisson = prompts.Count >= design.PoissonFrom;
        _all = new(() => Sums([.. Enumerable.Repeat(1.0, prompts.Count)]));
        _level = design.Level;
        _weights = [.. prompts.Select(_ => new byte[Count])];
        if (Poisson) FillPoisson(design.Seed, prompts);
        else FillMultinomial(CounterRandom.Create(design.Seed, "board/bootstrap"));
    }

    /// <summary>Number of resamples.</summary>
    public int Count { get; }

    /// <summary>Whether weights are independent Poisson counts.</summary>
    public bool Poisson { get; }

    /// <summary>Weighted sums of values (0 where undefined) over the prompts, one for each resample.</summary>
    public double[] Sums(double[] values) => Sums([values])[0];

    /// <summary>
    /// The same for many columns at once: a tile of prompts and resamples at a time, whose weights stay in the cache for
    /// all columns. Prompts where all columns are 0 cost nothing.
    /// </summary>
    public double[][] Sums(IReadOnlyList<double[]> columns)
    {
        const int Block = 256;
        double[][] sums = [.. columns.Select(_ => new double[Count])];
        int[] used = [.. Enumerable.Range(0, _weights.Length).Where(prompt => columns.Any(c => c[prompt] != 0))];
        var tile = new double[Math.Min(2 * Block, used.Length)][];
        for (var i = 0; i < tile.Length; i++) tile[i] = new double[Block];
        foreach (var prompts in used.Chunk(2 * Block))
        {
            for (var start = 0; start < Count; start += Block)
            {
                var length = Math.Min(Block, Count - start);
                for (var i = 0; i < prompts.Length; i++)
                    for (var b = 0; b < length; b++) tile[i][b] = _weights[prompts[i]][start + b];
                for (var c = 0; c < sums.Length; c++)
                {
                    var values = columns[c];
                    var into = sums[c].AsSpan(start, length);
                    for (var i = 0; i < prompts.Length; i++)
                        if (values[prompts[i]] is not 0 and var value) TensorPrimitives.MultiplyAdd(tile[i].AsSpan(0, length), value, into, into);
                }
            }
        }
        return sums;
    }

    /// <summary>
    /// The interval of a mean over the prompts in the mask, from its sums; null with fewer than two of them: resamples of
    /// a single value are all alike, and would feign certainty.
    /// </summary>
    public Interval? OfMean(ReadOnlySpan<double> sums, PromptMask mask) => mask.Count < 2 ? null : OfRatio(sums, CountsOf(mask));

    /// <summary>
    /// The interval of signA * mean(a) - signB * mean(b) over the prompts where both are defined.
    /// </summary>
    public Interval? OfDifference(ResampledColumn a, ResampledColumn b, int signA, int signB)
    {
        var both = a.Mask & b.Mask;
        return OfDifference(a.SumsOver(both, this), b.SumsOver(both, this), signA, signB, both);
    }

    /// <summary>The same over all prompts, with an undefined value counted as 0.</summary>
    public Interval? OfDifferenceWithZeros(ResampledColumn a, ResampledColumn b, int signA, int signB) =>
        OfDifference(a.Sums, b.Sums, signA, signB, PromptMask.All(_weights.Length));

    /// <summary>The interval of the ratio of two weighted sums over prompts.</summary>
    public Interval? OfRatio(ReadOnlySpan<double> numerators, ReadOnlySpan<double> denominators)
    {
        var means = ArrayPool<double>.Shared.Rent(Count);
        var kept = 0;
        for (var b = 0; b < numerators.Length; b++)
            if (denominators[b] > 0) means[kept++] = numerators[b] / denominators[b];
        var interval = Quantiles.Central(means.AsSpan(0, kept), _level);
        ArrayPool<double>.Shared.Return(means);
        return interval;
    }

    private Interval? OfDifference(double[] a, double[] b, int signA, int signB, PromptMask mask)
    {
        var rented = ArrayPool<double>.Shared.Rent(Count);
        var differences = rented.AsSpan(0, Count);
        for (var i = 0; i < differences.Length; i++) differences[i] = signA * a[i] - signB * b[i];
        var interval = OfMean(differences, mask);
        ArrayPool<double>.Shared.Return(rented);
        return interval;
    }

    // Many columns are defined on the same prompts, and on most of them: what is missing is taken away from all.
    private double[] CountsOf(PromptMask mask)
    {
        if (_counts.TryGetValue(mask, out var known)) return known;
        var few = 2 * mask.Count < _weights.Length;
        var counts = Sums([.. Enumerable.Range(0, _weights.Length).Select(i => mask[i] == few ? 1.0 : 0)]);
        if (!few) TensorPrimitives.Subtract(_all.Value, counts, counts);
        return _counts[mask] = counts;
    }

    private void FillMultinomial(CounterRandom random)
    {
        var n = _weights.Length;
        var words = new ulong[(n + 1) / 2];
        for (var b = 0; b < Count; b++)
        {
            random.Fill((ulong)b, words);
            for (var draw = 0; draw < n; draw++)
            {
                ulong bits = (uint)(words[draw >> 1] >> ((draw & 1) << 5));
                _weights[(int)((bits * (ulong)n) >> 32)][b]++;
            }
        }
    }

    private void FillPoisson(ulong seed, IReadOnlyList<string> prompts)
    {
        for (var i = 0; i < prompts.Count; i++)
            PoissonWeights.Fill(seed, CounterRandom.KeyOf("board/poisson/" + prompts[i]), _weights[i]);
    }
}

/// <summary>A column's values (0 where undefined), where it is defined, and its sums in every resample.</summary>
internal sealed class ResampledColumn
{
    private readonly double[] _values;

    private ResampledColumn(PromptMask mask, double[] values, double[] sums) => (Mask, _values, Sums) = (mask, values, sums);

    /// <summary>Columns of values, NaN where undefined.</summary>
    public static ResampledColumn[] Of(IReadOnlyList<double[]> columns, Resamples resamples)
    {
        double[][] values = [.. columns.Select(c => Array.ConvertAll(c, v => double.IsNaN(v) ? 0 : v))];
        var sums = resamples.Sums(values);
        return [.. columns.Select((c, i) => new ResampledColumn(PromptMask.Of(c), values[i], sums[i]))];
    }

    /// <summary>The prompts where it is defined.</summary>
    public PromptMask Mask { get; }

    /// <summary>Sums over those.</summary>
    public double[] Sums { get; }

    /// <summary>Sums over fewer prompts.</summary>
    public double[] SumsOver(PromptMask mask, Resamples resamples)
    {
        if (mask.Equals(Mask)) return Sums;
        var some = (double[])_values.Clone();
        if (2 * mask.Count < Mask.Count)
        {
            for (var i = 0; i < some.Length; i++)
                if (!mask[i]) some[i] = 0;
            return resamples.Sums(some);
        }
        // Seldom are many missing: take the few away instead.
        for (var i = 0; i < some.Length; i++)
            if (mask[i]) some[i] = 0;
        var sums = resamples.Sums(some);
        TensorPrimitives.Subtract(Sums, sums, sums);
        return sums;
    }
}
