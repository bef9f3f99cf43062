namespace Silo.Core.Statistics;

/// <summary>
/// A bootstrap of the mean over prompts that takes prompts one by one, in any order, gives them up again, and merges:
/// fixed-point sums over the resamples of <see cref="PoissonWeights"/>. Equal prompts give equal bits, whatever their
/// order and shards. Undefined prompts are simply not added. Not safe for use by several threads at once.
/// </summary>
/// <param name="resamples">Number of resamples, at least 1.</param>
public sealed class PoissonBootstrap(int resamples)
{
    // Values up to 4 in units of 2^-32 leave room for 2^29 prompts; the rounding, 1e-10, is far below the bootstrap's noise.
    private const double Scale = 4294967296, Limit = 4;

    private readonly long[] _sums = new long[resamples];
    private readonly long[] _counts = new long[resamples];

    /// <summary>Number of resamples.</summary>
    public int Resamples => _sums.Length;

    /// <summary>Adds a prompt's value.</summary>
    /// <param name="weights">The prompt's weights, one for each resample.</param>
    /// <param name="value">A number of magnitude up to 4.</param>
    /// <exception cref="ArgumentException">The number of weights differs, or the value is NaN or too large.</exception>
    public void Add(ReadOnlySpan<byte> weights, double value) => Accumulate(weights, ToUnits(value), 1);

    /// <summary>Takes out a value that was added with the same weights: the exact inverse of <see cref="Add"/>.</summary>
    /// <param name="weights">The prompt's weights, one for each resample.</param>
    /// <param name="value">The value that was added.</param>
    /// <exception cref="ArgumentException">The number of weights differs, or the value is NaN or too large.</exception>
    public void Remove(ReadOnlySpan<byte> weights, double value) => Accumulate(weights, -ToUnits(value), -1);

    /// <summary>Adds all that the other holds.</summary>
    /// <exception cref="ArgumentException">The other has another number of resamples.</exception>
    public void Merge(PoissonBootstrap other)
    {
        MidRanks.RequireLength(_sums.Length, other._sums.Length);
        for (int r = 0; r < _sums.Length; r++)
        {
            _sums[r] += other._sums[r];
            _counts[r] += other._counts[r];
        }
    }

    /// <summary>The percentile interval of the mean; null where no resample holds a prompt.</summary>
    /// <param name="level">Coverage, in (0, 1).</param>
    public Interval? Interval(double level = 0.95)
    {
        var means = new double[_sums.Length];
        int kept = 0;
        for (int r = 0; r < _sums.Length; r++)
            if (_counts[r] > 0) means[kept++] = _sums[r] / Scale / _counts[r];
        return Bootstrap.Percentiles(means.AsSpan(0, kept), level);
    }

    private void Accumulate(ReadOnlySpan<byte> weights, long units, long sign)
    {
        MidRanks.RequireLength(_sums.Length, weights.Length);
        for (int r = 0; r < weights.Length; r++)
        {
            _sums[r] += weights[r] * units;
            _counts[r] += weights[r] * sign;
        }
    }

    private static long ToUnits(double value)
    {
        if (!(Math.Abs(value) <= Limit))
            throw new ArgumentOutOfRangeException(nameof(value), value, "a bootstrapped value has a magnitude of at most 4");
        return (long)Math.Round(value * Scale);
    }
}
