using Silo.Core.Numerics;

namespace Silo.Core.Statistics;

/// <summary>What the differences of rated values mean.</summary>
public enum MeasurementLevel
{
    /// <summary>Only the order counts.</summary>
    Ordinal,
    /// <summary>Differences count.</summary>
    Interval,
}

/// <summary>Krippendorff's alpha.</summary>
/// <param name="Alpha">1 perfect agreement, 0 chance; null where no unit has two values or all values are equal.</param>
/// <param name="Units">Number of units with at least two values.</param>
public readonly record struct KrippendorffAlpha(double? Alpha, int Units);

/// <summary>Krippendorff's alpha (Krippendorff 2011, "Computing Krippendorff's alpha-reliability").</summary>
public static class Krippendorff
{
    /// <summary>
    /// alpha = 1 - (n-1) sum_{c&lt;k} o_ck d²(c,k) / sum_{c&lt;k} n_c n_k d²(c,k), the units being all (prompt, item)
    /// pairs with at least two values.
    /// </summary>
    /// <remarks>
    /// For both levels d²(c,k) is a squared difference, of the values or of their mid-ranks among all values (the ordinal
    /// (sum_{g=c..k} n_g - (n_c+n_k)/2)² is just that). So the observed sum is that of m/(m-1) times the squares about
    /// the unit's mean, the expected sum n times the squares about the mean of all: linear in the number of values.
    /// </remarks>
    public static KrippendorffAlpha Alpha(IReadOnlyList<RatingMatrix> prompts, MeasurementLevel level)
    {
        var units = new PairableUnits(prompts, level);
        var once = new int[prompts.Count];
        Array.Fill(once, 1);
        return new(units.Alpha(once), units.Count);
    }

    /// <summary>
    /// The percentile bootstrap interval of alpha, prompts being what was sampled (<see cref="Bootstrap.OverPrompts"/>); null where
    /// fewer than two prompts have a unit.
    /// </summary>
    public static Interval? AlphaInterval(IReadOnlyList<RatingMatrix> prompts, MeasurementLevel level, CounterRandom random, int resamples = 2000, double coverage = 0.95)
    {
        var units = new PairableUnits(prompts, level);
        return units.Prompts < 2 ? null : Bootstrap.OverPrompts(prompts.Count, units.Alpha, random, resamples, coverage);
    }

    /// <summary>The units of all prompts: values as indices into their sorted distinct ones, which are few.</summary>
    private sealed class PairableUnits
    {
        private readonly MeasurementLevel _level;
        private readonly double[] _distinct;
        private readonly int[] _codes;
        private readonly List<(int Prompt, int Size)> _units = [];
        private readonly long[] _counts;
        private readonly double[] _mapped;

        public PairableUnits(IReadOnlyList<RatingMatrix> prompts, MeasurementLevel level)
        {
            _level = level;
            var values = new List<double>();
            for (int p = 0; p < prompts.Count; p++)
            {
                var prompt = prompts[p];
                for (int item = 0; item < prompt.Items; item++)
                {
                    int start = values.Count;
                    for (int rater = 0; rater < prompt.Raters; rater++)
                        if (!double.IsNaN(prompt[rater][item])) values.Add(prompt[rater][item]);
                    int size = values.Count - start;
                    if (size >= 2) _units.Add((p, size));
                    else values.RemoveRange(start, size);
                }
            }
            _distinct = [.. values.Distinct().Order()];
            _codes = [.. values.Select(value => Array.BinarySearch(_distinct, value))];
            _counts = new long[_distinct.Length];
            _mapped = new double[_distinct.Length];
        }

        public int Count => _units.Count;

        /// <summary>Number of prompts with a unit.</summary>
        public int Prompts => _units.Select(unit => unit.Prompt).Distinct().Count();

        /// <summary>Alpha where each prompt counts so many times.</summary>
        public double? Alpha(ReadOnlySpan<int> times)
        {
            long n = Weigh(times);
            if (_counts.Count(count => count > 0) < 2) return null;
            Map();
            double sum = 0, expected = 0, observed = 0;
            for (int c = 0; c < _counts.Length; c++) sum += _counts[c] * _mapped[c];
            double mean = sum / n;
            for (int c = 0; c < _counts.Length; c++) expected += _counts[c] * (_mapped[c] - mean) * (_mapped[c] - mean);
            int start = 0;
            foreach (var (prompt, size) in _units)
            {
                if (times[prompt] > 0) observed += times[prompt] * SquaresAboutMean(_codes.AsSpan(start, size)) * size / (size - 1);
                start += size;
            }
            return 1 - (n - 1) * observed / (n * expected);
        }

        private long Weigh(ReadOnlySpan<int> times)
        {
            Array.Clear(_counts);
            long n = 0;
            int start = 0;
            foreach (var (prompt, size) in _units)
            {
                foreach (int code in _codes.AsSpan(start, size)) _counts[code] += times[prompt];
                n += (long)times[prompt] * size;
                start += size;
            }
            return n;
        }

        // Values, or their mid-ranks among all.
        private void Map()
        {
            long smaller = 0;
            for (int c = 0; c < _counts.Length; c++)
            {
                _mapped[c] = _level == MeasurementLevel.Ordinal ? smaller + (_counts[c] + 1) / 2.0 : _distinct[c];
                smaller += _counts[c];
            }
        }

        private double SquaresAboutMean(ReadOnlySpan<int> codes)
        {
            double sum = 0, squares = 0;
            foreach (int code in codes) sum += _mapped[code];
            double mean = sum / codes.Length;
            foreach (int code in codes) squares += (_mapped[code] - mean) * (_mapped[code] - mean);
            return squares;
        }
    }
}
