using MathNet.Numerics.Distributions;

namespace Silo.Core.Statistics;

/// <summary>Williams' test of two dependent correlations.</summary>
/// <param name="T">The statistic; positive when r12 is the larger one.</param>
/// <param name="DegreesOfFreedom">n - 3.</param>
/// <param name="PTwoSided">Two-sided p from Student's t.</param>
/// <param name="Determinant">Determinant of the correlation matrix of the three variables.</param>
public readonly record struct WilliamsResult(double T, int DegreesOfFreedom, double PTwoSided, double Determinant);

/// <summary>
/// Williams' t for r12 against r13, which share variable 1 (Williams 1959; Steiger 1980, "Tests for comparing elements of
/// a correlation matrix", equation 7). For independent items: items of one prompt are not.
/// </summary>
public static class Williams
{
    /// <summary>
    /// t = (r12 - r13) sqrt((n-1)(1+r23) / (2 (n-1)/(n-3) |R| + rbar² (1-r23)³)), rbar = (r12+r13)/2.
    /// Undefined (null) where n &lt;= 3 or the denominator is not positive.
    /// </summary>
    /// <param name="r12">Correlation of the first measure with the gold, in [-1, 1].</param>
    /// <param name="r13">Correlation of the second measure with the gold.</param>
    /// <param name="r23">Correlation of the two measures.</param>
    /// <param name="n">Number of items.</param>
    public static WilliamsResult? Test(double r12, double r13, double r23, int n)
    {
        if (n <= 3) return null;
        double mean = (r12 + r13) / 2;
        double determinant = 1 - r12 * r12 - r13 * r13 - r23 * r23 + 2 * r12 * r13 * r23;
        double denominator = 2.0 * (n - 1) / (n - 3) * determinant + mean * mean * Math.Pow(1 - r23, 3);
        if (!(denominator > 0)) return null;
        double t = (r12 - r13) * Math.Sqrt((n - 1) * (1 + r23) / denominator);
        return new(t, n - 3, 2 * StudentT.CDF(0, 1, n - 3, -Math.Abs(t)), determinant);
    }
}
