using System.Numerics.Tensors;
using Silo.Core.Numerics;
using Silo.Core.Statistics;

namespace Silo.Experiments.Board;

/// <summary>
/// One set of resamples of prompts, used for every column of a gold, so that differences are paired within each
/// resample and the cost is that of a matrix product. Percentile bootstrap over prompts: as many prompts as there are
/// are drawn with replacement (undefined ones take part in the draw), or, for many prompts, each counts Poisson(1) times.
/// </summary>
internal sealed class Resamples
{
    private readonly double[][] weights;
    private readonly double level;
    private readonly Dictionary<PromptMask, double[]> counts = [];
    private readonly double[] means, scratch;

    public Resamples(BoardDesign design, IReadOnlyList<string> prompts)
    {
        level = design.Level;
        Count = design.Resamples;
        Poisson = prompts.Count >= design.PoissonFrom;
        means = new double[Count];
        scratch = new double[Count];
        weights = [.. prompts.Select(_ => new double[Count])];
        if (Poisson) FillPoisson(design.Seed, prompts);
        else FillMultinomial(CounterRandom.Create(design.Seed, "board/bootstrap"));
    }

    /// <summary>Number of resamples.</summary>
    public int Count { get; }

    /// <summary>Whether weights are independent Poisson counts.</summary>
    public bool Poisson { get; }

    /// <summary>Weighted sums of the values of the prompts in the mask, one for each resample.</summary>
    public double[] Sums(ReadOnlySpan<double> values, PromptMask mask)
    {
        var sums = new double[Count];
        for (var i = 0; i < weights.Length; i++)
            if (mask[i] && values[i] != 0) TensorPrimitives.MultiplyAdd(weights[i], values[i], sums, sums);
        return sums;
    }

    /// <summary>The interval of a mean over the prompts in the mask, from its sums; null where no resample holds one.</summary>
    public Interval? OfMean(ReadOnlySpan<double> sums, PromptMask mask) => OfRatio(sums, CountsOf(mask));

    /// <summary>
    /// The interval of signA * mean(a) - signB * mean(b) over the prompts where both are defined.
    /// </summary>
    public Interval? OfDifference(ResampledColumn a, ResampledColumn b, int signA, int signB)
    {
        var both = a.Mask & b.Mask;
        Combine(a.SumsOver(both, this), b.SumsOver(both, this), signA, signB);
        return OfRatio(scratch, CountsOf(both));
    }

    /// <summary>The same over all prompts, with an undefined value counted as 0.</summary>
    public Interval? OfDifferenceWithZeros(ResampledColumn a, ResampledColumn b, int signA, int signB)
    {
        Combine(a.Sums, b.Sums, signA, signB);
        return OfRatio(scratch, CountsOf(PromptMask.All(weights.Length)));
    }

    /// <summary>The interval of the ratio of two weighted sums over prompts.</summary>
    public Interval? OfRatio(ReadOnlySpan<double> numerators, ReadOnlySpan<double> denominators)
    {
        var kept = 0;
        for (var b = 0; b < numerators.Length; b++)
            if (denominators[b] > 0) means[kept++] = numerators[b] / denominators[b];
        return Quantiles.Central(means.AsSpan(0, kept), level);
    }

    internal ReadOnlySpan<double> WeightsOf(int prompt) => weights[prompt];

    private void Combine(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int signA, int signB)
    {
        for (var i = 0; i < scratch.Length; i++) scratch[i] = signA * a[i] - signB * b[i];
    }

    // Many columns are defined on the same prompts.
    private double[] CountsOf(PromptMask mask)
    {
        if (counts.TryGetValue(mask, out var known)) return known;
        var sums = new double[Count];
        for (var i = 0; i < weights.Length; i++)
            if (mask[i]) TensorPrimitives.Add(sums, weights[i], sums);
        return counts[mask] = sums;
    }

    private void FillMultinomial(CounterRandom random)
    {
        var n = weights.Length;
        var words = new ulong[(n + 1) / 2];
        for (var b = 0; b < Count; b++)
        {
            random.Fill((ulong)b, words);
            for (var draw = 0; draw < n; draw++)
            {
                ulong bits = (uint)(words[draw >> 1] >> ((draw & 1) << 5));
                weights[(int)((bits * (ulong)n) >> 32)][b]++;
            }
        }
    }

    private void FillPoisson(ulong seed, IReadOnlyList<string> prompts)
    {
        var bytes = new byte[Count];
        for (var i = 0; i < prompts.Count; i++)
        {
            PoissonWeights.Fill(seed, CounterRandom.KeyOf("board/poisson/" + prompts[i]), bytes);
            for (var b = 0; b < Count; b++) weights[i][b] = bytes[b];
        }
    }
}

/// <summary>A column's values (0 where undefined), where it is defined, and its sums in every resample.</summary>
internal sealed class ResampledColumn
{
    private readonly double[] values;

    public ResampledColumn(double[] values, Resamples resamples)
    {
        Mask = PromptMask.Of(values);
        this.values = Array.ConvertAll(values, v => double.IsNaN(v) ? 0 : v);
        Sums = resamples.Sums(this.values, Mask);
    }

    /// <summary>The prompts where it is defined.</summary>
    public PromptMask Mask { get; }

    /// <summary>Sums over those.</summary>
    public double[] Sums { get; }

    /// <summary>Sums over fewer prompts.</summary>
    public double[] SumsOver(PromptMask mask, Resamples resamples)
    {
        if (mask.Equals(Mask)) return Sums;
        var left = Mask.Except(mask);
        if (left.Count > mask.Count) return resamples.Sums(values, mask);
        var sums = (double[])Sums.Clone();
        for (var i = 0; i < values.Length; i++)
            if (left[i]) TensorPrimitives.MultiplyAdd(resamples.WeightsOf(i), -values[i], sums, sums);
        return sums;
    }
}
