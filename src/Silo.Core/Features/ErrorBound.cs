namespace Silo.Core.Features;

/// <summary>
/// What is proven about a cumulative sum. With A above and R below a place, and relative errors of at most e in the tail,
/// A / (A + R) errs by at most 2 e A R / (A + R)²; what errs next to 0 is added whole.
/// </summary>
/// <param name="Sum">The sum over the row.</param>
/// <param name="Relative">Largest relative error of a tail bucket.</param>
/// <param name="Tail">The tail's share.</param>
/// <param name="Absolute">Further error of a share.</param>
internal readonly record struct ErrorBound(double Sum, double Relative, double Tail, double Absolute)
{
    /// <summary>Float64 itself: some 10^4 additions of positive numbers, each within 2^-53.</summary>
    private const double Rounding = 2e-12;

    /// <summary>Largest error of a cumulative share near one.</summary>
    public double At(double share) => 2 * Relative * Math.Min(share * (1 - share), Tail) + Absolute + Rounding;

    /// <summary>Whether a sum to be reached lies between two cumulative sums in spite of the error.</summary>
    public bool IsCertain(double target, double before, double reached)
    {
        var bound = At(target / Sum) * Sum;
        return reached - target > bound && target - before > bound;
    }
}
