using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
using Silo.Core;
using Silo.Core.Numerics;
using Silo.Experiments.Generation;

namespace Silo.Models;

/// <summary>
/// Draws tokens from rows of raw logits by inversion: the smallest id whose cumulative probability, in the order of ids, exceeds a uniform number.
/// Float64, the same bits on every machine; no sorting of the vocabulary. A workspace for one thread.
/// </summary>
public sealed class Sampler
{
    private const int Block = 256;

    /// <summary>So many blocks' weights are kept, until it is known in which one the token lies.</summary>
    private const int KeptBlocks = 16;

    /// <summary>
    /// Tokens e^50 times less probable than the first are left out: a million of them weigh less than the rounding of the sum.
    /// </summary>
    private const double Negligible = -50;

    private const int Buckets = 512, BucketsPerUnit = 8;

    /// <summary>The threshold rule of the widths: a mass reached but for rounding counts as reached.</summary>
    private const double Slack = 1e-12;

    private readonly int _vocabulary;
    private readonly double[] _sums;
    private readonly float[] _largest;
    private readonly double[] _weights;
    private readonly int[] _counts = new int[Buckets];
    private readonly double[] _masses = new double[Buckets];
    private readonly List<(float Z, int Id)> _crossing = [];

    /// <param name="vocabularySize">V, the length of every row.</param>
    public Sampler(int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        _vocabulary = vocabularySize;
        _sums = new double[(vocabularySize + Block - 1) / Block];
        _largest = new float[_sums.Length];
        _weights = new double[_sums.Length <= KeptBlocks ? _sums.Length * Block : Block];
    }

    /// <summary>Draws a token.</summary>
    /// <param name="logits">V raw logits; minus infinity masks a token.</param>
    /// <param name="temperature">T, &gt; 0; or 0 for the most probable token (the lowest id of equals), whatever the options say.</param>
    /// <param name="options">Truncations, and on which side of the temperature they stand.</param>
    /// <param name="uniform">A number in [0, 1).</param>
    /// <exception cref="SiloException">A logit is NaN or plus infinity, all are masked, or an option lies outside its range.</exception>
    public int Sample(ReadOnlySpan<float> logits, double temperature, SamplerOptions options, double uniform)
    {
        if (logits.Length != _vocabulary) throw new ArgumentException($"{_vocabulary} logits expected", nameof(logits));
        Check(options);
        if (!(temperature >= 0) || double.IsInfinity(temperature)) throw new SiloException($"a temperature of {temperature} cannot be sampled at");
        var max = float.NegativeInfinity;
        for (var block = 0; block < _sums.Length; block++) max = MathF.Max(max, _largest[block] = TensorPrimitives.Max(RowOf(logits, block)));
        if (float.IsNaN(max)) throw new SiloException("a logit is NaN");
        if (float.IsInfinity(max)) throw new SiloException(max > 0 ? "a logit is plus infinity" : "all tokens are masked");
        if (temperature == 0) return FirstAt(logits, max);
        return Draw(logits, max, temperature, Truncate(logits, max, temperature, options), uniform);
    }

    /// <exception cref="SiloException">An option lies outside its range.</exception>
    public static void Check(SamplerOptions options)
    {
        if (options.TopK < 0) throw new SiloException($"top-k is {options.TopK}; 0 (all) or a positive number was expected");
        if (!(options.TopP is > 0 and <= 1)) throw new SiloException($"top-p is {options.TopP}; a number in (0, 1] was expected");
        if (!(options.MinP is >= 0 and < 1)) throw new SiloException($"min-p is {options.MinP}; a number in [0, 1) was expected");
    }

    private static int FirstAt(ReadOnlySpan<float> logits, float max)
    {
        var id = 0;
        while (logits[id] != max) id++;
        return id;
    }

    private int Draw(ReadOnlySpan<float> logits, float max, double temperature, Cut cut, double uniform)
    {
        var total = 0.0;
        for (var block = 0; block < _sums.Length; block++)
        {
            var row = RowOf(logits, block);
            var sum = 0.0;
            // A block whose best token is negligible is passed over.
            if ((_largest[block] - (double)max) * Inverse(temperature) >= Negligible) sum = Weigh(row, max, temperature, cut, block);
            _sums[block] = sum;
            total += sum;
        }
        var target = uniform * total;
        var before = 0.0;
        var chosen = 0;
        for (var block = 0; block < _sums.Length; block++)
        {
            if (_sums[block] == 0) continue;
            chosen = block;
            if (before + _sums[block] > target) break;
            before += _sums[block];
        }
        if (!KeepsAll) Weigh(RowOf(logits, chosen), max, temperature, cut, chosen);
        var weights = WeightsOf(chosen, RowOf(logits, chosen).Length);
        var last = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] == 0) continue;
            last = i;
            before += weights[i];
            if (before > target) break;
        }
        return chosen * Block + last;
    }

    private static ReadOnlySpan<float> RowOf(ReadOnlySpan<float> logits, int block) => logits.Slice(block * Block, Math.Min(Block, logits.Length - block * Block));

    /// <summary>e^((z - max) / T) of a block's tokens, 0 for those that are cut off; returns their sum.</summary>
    private double Weigh(ReadOnlySpan<float> row, float max, double temperature, Cut cut, int block)
    {
        var weights = WeightsOf(block, row.Length);
        var sum = DeterministicMath.Weigh(row, max, Inverse(temperature), weights);
        if (cut.Id < 0) return sum;
        for (var i = 0; i < row.Length; i++)
            if (!cut.Keeps(row[i], block * Block + i)) weights[i] = 0;
        return Sum(weights);
    }

    /// <summary>Where a block's weights lie: each has its own place where the row is short, or all have the same.</summary>
    private Span<double> WeightsOf(int block, int length) => _weights.AsSpan(KeepsAll ? block * Block : 0, length);

    private bool KeepsAll => _sums.Length * Block == _weights.Length;

    private static double Sum(ReadOnlySpan<double> weights)
    {
        var (a, b) = (Vector256<double>.Zero, Vector256<double>.Zero);
        var i = 0;
        for (; i + 8 <= weights.Length; i += 8)
        {
            a += Vector256.Create(weights.Slice(i, 4));
            b += Vector256.Create(weights.Slice(i + 4, 4));
        }
        var four = a + b;
        var sum = (four[0] + four[2]) + (four[1] + four[3]);
        for (; i < weights.Length; i++) sum += weights[i];
        return sum;
    }

    /// <summary>Where the order of tokens is cut off by top-k, then top-p of what is left, then min-p.</summary>
    private Cut Truncate(ReadOnlySpan<float> logits, float max, double temperature, SamplerOptions options)
    {
        var t = options.Order == TemperatureOrder.BeforeTruncation ? temperature : 1.0;
        var cut = Cut.None;
        if (options.TopK > 0 && options.TopK < logits.Length) cut = CutAfter(logits, max, t, cut, options.TopK, share: 0);
        if (options.TopP < 1) cut = CutAfter(logits, max, t, cut, count: 0, options.TopP);
        if (options.MinP > 0)
        {
            var least = max + t * DeterministicMath.Log(options.MinP);
            var lowest = (float)least;
            // The smallest float32 that is not below the bound.
            if (lowest < least) lowest = MathF.BitIncrement(lowest);
            if (cut.Id < 0 || lowest > cut.Z) cut = new Cut(lowest, int.MaxValue);
        }
        return cut;
    }

    /// <summary>
    /// The place in the order of the kept tokens after <paramref name="count"/> of them, or, where that is 0, after the first that bring the share of their mass.
    /// One pass sorts them into buckets of z; only the bucket in which the place lies is sorted within.
    /// </summary>
    private Cut CutAfter(ReadOnlySpan<float> logits, float max, double temperature, Cut cut, int count, double share)
    {
        Array.Clear(_counts);
        Array.Clear(_masses);
        for (var block = 0; block < _sums.Length; block++)
        {
            var row = RowOf(logits, block);
            Weigh(row, max, temperature, cut, block);
            var weights = WeightsOf(block, row.Length);
            for (var i = 0; i < row.Length; i++)
            {
                if (float.IsNegativeInfinity(row[i]) || !cut.Keeps(row[i], block * Block + i)) continue;
                var bucket = BucketOf(row[i], max, temperature);
                _counts[bucket]++;
                _masses[bucket] += weights[i];
            }
        }
        var wanted = share > 0 ? (share - Slack) * TotalMass() : count;
        var (at, reached) = (0, 0.0);
        double Of(int bucket) => share > 0 ? _masses[bucket] : _counts[bucket];
        while (at < Buckets - 1 && reached + Of(at) < wanted) reached += Of(at++);

        _crossing.Clear();
        for (var id = 0; id < logits.Length; id++)
            if (!float.IsNegativeInfinity(logits[id]) && cut.Keeps(logits[id], id) && BucketOf(logits[id], max, temperature) == at)
                _crossing.Add((-logits[id], id));
        _crossing.Sort();
        foreach (var (z, id) in _crossing)
        {
            reached += share > 0 ? DeterministicMath.Exp((-z - (double)max) * Inverse(temperature)) : 1;
            if (reached >= wanted) return new Cut(-z, id);
        }
        return _crossing.Count == 0 ? cut : new Cut(-_crossing[^1].Z, _crossing[^1].Id);
    }

    // Finite, so that the best token's exponent stays 0 at any temperature.
    private static double Inverse(double temperature) => Math.Min(1 / temperature, double.MaxValue);

    private double TotalMass()
    {
        var total = 0.0;
        foreach (var mass in _masses) total += mass;
        return total;
    }

    private static int BucketOf(float z, float max, double temperature) => (int)Math.Min(Buckets - 1, ((double)max - z) * Inverse(temperature) * BucketsPerUnit);

    /// <summary>The last token of the order (z descending, then id) that is kept; an id below 0 keeps all.</summary>
    private readonly record struct Cut(float Z, int Id)
    {
        public static Cut None => new(float.NegativeInfinity, -1);

        public bool Keeps(float z, int id) => Id < 0 || z > Z || (z == Z && id <= Id);
    }
}
