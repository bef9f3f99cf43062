namespace Silo.Core.Statistics;

/// <summary>
/// An interval for a mean that may be looked at after every value: with probability 1 - alpha it holds the mean at all
/// times at once. The predictable plug-in empirical-Bernstein confidence sequence (Waudby-Smith and Ramdas 2023,
/// "Estimating means of bounded random variables by betting", Theorem 2).
/// </summary>
/// <remarks>
/// The values must arrive in an order fixed before they are seen, and not change afterwards. mu_(t-1) in v_t is the
/// regularised mean (1/2 at t = 1). Adding a value takes constant time and allocates nothing.
/// </remarks>
public sealed class ConfidenceSequence
{
    private readonly double _c, _range, _logTerm;
    private double _sumX, _sumSquares, _sumLambda, _sumLambdaX, _sumVPsi;
    private double _mean = 0.5, _variance = 0.25;

    /// <summary>An empty sequence.</summary>
    /// <param name="alpha">Chance of ever missing the mean, in (0, 1).</param>
    /// <param name="c">Largest bet lambda, in (0, 1).</param>
    /// <param name="range">Values lie in [-range, range]: 1 for a correlation, 2 for a difference of two.</param>
    public ConfidenceSequence(double alpha = 0.05, double c = 0.5, double range = 1)
    {
        if (!(alpha > 0 && alpha < 1)) throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "alpha is inside (0, 1)");
        if (!(c > 0 && c < 1)) throw new ArgumentOutOfRangeException(nameof(c), c, "c is inside (0, 1)");
        if (!(range > 0 && double.IsFinite(range))) throw new ArgumentOutOfRangeException(nameof(range), range, "a range is positive");
        (_c, _range, _logTerm) = (c, range, Math.Log(2 / alpha));
        (Running, Lower, Upper) = (new Interval(-range, range), double.NegativeInfinity, double.PositiveInfinity);
    }

    /// <summary>Number of values.</summary>
    public int Count { get; private set; }

    /// <summary>The bet lambda_t on the last value.</summary>
    public double Lambda { get; private set; }

    /// <summary>The weighted mean in the middle of the interval; null before the first value.</summary>
    public double? Center { get; private set; }

    /// <summary>The last lower bound, not clipped.</summary>
    public double Lower { get; private set; }

    /// <summary>The last upper bound, not clipped.</summary>
    public double Upper { get; private set; }

    /// <summary>The last interval, clipped to [-range, range].</summary>
    public Interval Clipped => new(Math.Max(-_range, Lower), Math.Min(_range, Upper));

    /// <summary>
    /// The intersection of all clipped intervals so far: the one to report. Its lower bound may pass the upper one, with
    /// probability alpha at most.
    /// </summary>
    public Interval Running { get; private set; }

    /// <summary>Takes the next value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is NaN or outside [-range, range].</exception>
    public void Add(double value)
    {
        if (!(Math.Abs(value) <= _range)) throw new ArgumentOutOfRangeException(nameof(value), value, $"values lie within {_range} of 0");
        double t = ++Count, x = (value / _range + 1) / 2;
        // lambda_t = min(c, sqrt(2 L / (s²_(t-1) t log(1 + t)))), v_t = 4 (X_t - mu_(t-1))², psi(l) = (-log(1 - l) - l) / 4
        Lambda = Math.Min(_c, Math.Sqrt(2 * _logTerm / (_variance * t * Math.Log(1 + t))));
        double v = 4 * (x - _mean) * (x - _mean), psi = (-Math.Log(1 - Lambda) - Lambda) / 4;
        _sumLambda += Lambda;
        _sumLambdaX += Lambda * x;
        _sumVPsi += v * psi;
        // mu_t and s²_t, each deviation from its own mean.
        _sumX += x;
        _mean = (0.5 + _sumX) / (t + 1);
        _sumSquares += (x - _mean) * (x - _mean);
        _variance = (0.25 + _sumSquares) / (t + 1);

        double center = _sumLambdaX / _sumLambda, half = (_logTerm + _sumVPsi) / _sumLambda;
        Center = _range * (2 * center - 1);
        Lower = _range * (2 * (center - half) - 1);
        Upper = _range * (2 * (center + half) - 1);
        Running = new(Math.Max(Running.Lower, Clipped.Lower), Math.Min(Running.Upper, Clipped.Upper));
    }
}
