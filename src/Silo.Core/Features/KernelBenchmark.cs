using System.Numerics.Tensors;

namespace Silo.Core.Features;

/// <summary>
/// What the token features cost, in units of one <see cref="TensorPrimitives.SoftMax(ReadOnlySpan{float}, Span{float})"/>
/// over the same row on the same core: all full features and the captured ones, for one temperature (0.8) and for three
/// (0.3, 0.8, 1.5).
/// </summary>
/// <param name="RatioOneTemperature">Cost for one temperature: mean over the kinds of row of the median over pairs of runs.</param>
/// <param name="RatioThreeTemperatures">The same for three.</param>
/// <param name="RatioOneTemperatureBf16">One temperature, the rows rounded to bfloat16.</param>
/// <param name="RatioThreeTemperaturesBf16">Three temperatures, the rows rounded to bfloat16.</param>
/// <param name="RatioOneTemperatureByKind">One temperature, for peaked, medium and flat rows.</param>
/// <param name="RatioThreeTemperaturesByKind">Three temperatures, for peaked, medium and flat rows.</param>
/// <param name="RatioRead">The floor: reading the row once (its maximum).</param>
/// <param name="RatioHistogram">The pass that sorts the row into its histogram, alone.</param>
/// <param name="ShareRecomputed">
/// Share of unrounded rows computed once more in float64, because the proven error could have decided an integer.
/// </param>
/// <param name="ShareSorted">Share of unrounded rows that took the sorted path, the recomputed among them.</param>
/// <param name="SoftMaxMicroseconds">Median time of one softmax.</param>
/// <param name="EntropyByKind">Entropy of the rows in nats: peaked, medium, flat.</param>
/// <param name="VocabularySize">V.</param>
/// <param name="CaptureSize">K.</param>
public sealed record KernelBenchmark(
    double RatioOneTemperature,
    double RatioThreeTemperatures,
    double RatioOneTemperatureBf16,
    double RatioThreeTemperaturesBf16,
    IReadOnlyList<double> RatioOneTemperatureByKind,
    IReadOnlyList<double> RatioThreeTemperaturesByKind,
    double RatioRead,
    double RatioHistogram,
    double ShareRecomputed,
    double ShareSorted,
    double SoftMaxMicroseconds,
    IReadOnlyList<double> EntropyByKind,
    int VocabularySize,
    int CaptureSize)
{
    private const int RowsPerKind = 4;
    private static readonly double[] s_entropies = [1, 4, 9];
    private static readonly double[] s_one = [0.8], s_three = [0.3, 0.8, 1.5];

    /// <summary>Measures on one thread, in some seconds; kernel and softmax take turns on the same row.</summary>
    /// <param name="clock">The clock to measure with.</param>
    /// <param name="vocabularySize">V, at least 16,384.</param>
    /// <param name="captureSize">K.</param>
    /// <param name="repetitions">Measured runs of each row.</param>
    public static KernelBenchmark Run(TimeProvider clock, int vocabularySize = 128_256, int captureSize = 200, int repetitions = 30)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1 << 14);
        ArgumentOutOfRangeException.ThrowIfLessThan(repetitions, 1);
        var kinds = Array.ConvertAll(s_entropies, entropy =>
            Enumerable.Range(0, RowsPerKind).Select(i => BenchmarkRows.Make(vocabularySize, entropy, i)).ToArray());
        var plain = new Measurement(clock, vocabularySize, captureSize);
        var rounded = new Measurement(clock, vocabularySize, captureSize);
        double[][] ofPlain = Array.ConvertAll(kinds, rows => plain.Run(rows, repetitions));
        double[][] ofRounded = Array.ConvertAll(kinds, rows => rounded.Run(Array.ConvertAll(rows, BenchmarkRows.ToBfloat16), repetitions));
        var statistics = plain.Statistics;
        return new KernelBenchmark(
            ofPlain.Average(m => m[0]), ofPlain.Average(m => m[1]), ofRounded.Average(m => m[0]), ofRounded.Average(m => m[1]),
            Array.ConvertAll(ofPlain, m => m[0]), Array.ConvertAll(ofPlain, m => m[1]),
            ofPlain.Average(m => m[2]), ofPlain.Average(m => m[3]),
            (double)statistics.Recomputed / statistics.Rows, (double)statistics.Sorted / statistics.Rows,
            ofPlain.Average(m => m[4]), Array.ConvertAll(kinds, rows => rows.Average(BenchmarkRows.Entropy)),
            vocabularySize, captureSize);
    }

    private sealed class Measurement(TimeProvider clock, int vocabularySize, int captureSize)
    {
        // Enough for the runtime to have compiled everything for speed.
        private const int WarmUp = 12;

        private readonly FeatureKernel _kernel = new(vocabularySize, captureSize);
        private readonly LogitHistogram _histogram = new(vocabularySize);
        private readonly float[] _softmax = new float[vocabularySize];
        private readonly double[] _full = new double[s_three.Length * TokenFeatures.FullCount];
        private readonly double[] _captured = new double[s_three.Length * TokenFeatures.CapturedCount];

        public KernelStatistics Statistics => _kernel.Statistics;

        /// <summary>Medians: one temperature, three, a read, the histogram (in softmaxes), and a softmax in microseconds.</summary>
        public double[] Run(float[][] rows, int repetitions)
        {
            var pairs = Enumerable.Range(0, 5).Select(_ => new List<double>()).ToArray();
            for (var repetition = -WarmUp; repetition < repetitions; repetition++)
                foreach (var row in rows)
                {
                    void Pair(int what, Action action)
                    {
                        var unit = Time(() => TensorPrimitives.SoftMax(row, _softmax));
                        var cost = Time(action);
                        if (repetition < 0) return;
                        pairs[what].Add(cost / unit);
                        pairs[4].Add(unit);
                    }
                    Pair(0, () => _kernel.Compute(row, s_one, 0, _full.AsSpan(0, TokenFeatures.FullCount), _captured.AsSpan(0, TokenFeatures.CapturedCount)));
                    Pair(1, () => _kernel.Compute(row, s_three, 0, _full, _captured));
                    Pair(2, () => _softmax[0] = TensorPrimitives.Max<float>(row));
                    Pair(3, () => _histogram.TryFill(row));
                }
            return Array.ConvertAll(pairs, Median);
        }

        private double Time(Action action)
        {
            var start = clock.GetTimestamp();
            action();
            return clock.GetElapsedTime(start).TotalMicroseconds;
        }

        private static double Median(List<double> values)
        {
            values.Sort();
            return (values[(values.Count - 1) / 2] + values[values.Count / 2]) / 2;
        }
    }
}
