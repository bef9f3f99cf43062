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
    private readonly double c, range, logTerm;
    private double sumX, sumSquares, sumLambda, sumLambdaX, sumVPsi;
    private double mean = 0.5, variance = 0.25;

    /// <summary>An empty sequence.</summary>
    /// <param name="alpha">Chance of ever missing the mean, in (0, 1).</param>
    /// <param name="c">Largest bet lambda, in (0, 1).</param>
    /// <param name="range">Values lie in [-range, range]: 1 for a correlation, 2 for a difference of two.</param>
    public ConfidenceSequence(double alpha = 0.05, double c = 0.5, double range = 1)
    {
        if (!(alpha > 0 && alpha < 1)) throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "alpha is inside (0, 1)");
        if (!(c > 0 && c < 1)) throw new ArgumentOutOfRangeException(nameof(c), c, "c is inside (0, 1)");
        if (!(range > 0 && double.IsFinite(range))) throw new ArgumentOutOfRangeException(nameof(range), range, "a range is positive");
        (this.c, this.range, logTerm) = (c, range, Math.Log(2 / alpha));
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
    public Interval Clipped => new(Math.Max(-range, Lower), Math.Min(range, Upper));

    /// <summary>
    /// The intersection of all clipped intervals so far: the one to report. Its lower bound may pass the upper one, with
    /// probability alpha at most.
    /// </summary>
    public Interval Running { get; private set; }

    /// <summary>Takes the next value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is NaN or outside [-range, range].</exception>
    public void Add(double value)
    {
        if (!(Math.Abs(value) <= range)) throw new ArgumentOutOfRangeException(nameof(value), value, $"values lie within {range} of 0");
        double t = ++Count, x = (value / range + 1) / 2;
        // lambda_t = min(c, sqrt(2 L / (s²_(t-1) t log(1 + t)))), v_t = 4 (X_t - mu_(t-1))², psi(l) = (-log(1 - l) - l) / 4
        Lambda = Math.Min(c, Math.Sqrt(2 * logTerm / (variance * t * Math.Log(1 + t))));
        double v = 4 * (x - mean) * (x - mean), psi = (-Math.Log(1 - Lambda) - Lambda) / 4;
        sumLambda += Lambda;
        sumLambdaX += Lambda * x;
        sumVPsi += v * psi;
        // mu_t and s²_t, each deviation from its own mean.
        sumX += x;
        mean = (0.5 + sumX) / (t + 1);
        sumSquares += (x - mean) * (x - mean);
        variance = (0.25 + sumSquares) / (t + 1);

        double center = sumLambdaX / sumLambda, half = (logTerm + sumVPsi) / sumLambda;
        Center = range * (2 * center - 1);
        Lower = range * (2 * (center - half) - 1);
        Upper = range * (2 * (center + half) - 1);
        Running = new(Math.Max(Running.Lower, Clipped.Lower), Math.Min(Running.Upper, Clipped.Upper));
    }
}
