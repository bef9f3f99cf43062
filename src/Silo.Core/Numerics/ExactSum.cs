namespace Silo.Core.Numerics;

/// <summary>
/// A sum and its count that do not depend on the order of the terms: each value is rounded once to a multiple of
/// 2^-80 and added in 128-bit integers. Removing a value restores the bits that were there before it; shards merge in
/// any order to the same bits.
/// </summary>
/// <param name="Units">The sum in units of 2^-80.</param>
/// <param name="Count">How many values it holds.</param>
/// <remarks>
/// Values with magnitude up to 2^16 are taken, 2^31 of them at least. A double of magnitude 2^-27 or more is a multiple
/// of 2^-80 and enters without any rounding; a smaller one with an error of at most 2^-81.
/// </remarks>
public readonly record struct ExactSum(Int128 Units, long Count)
{
    private const double Scale = 1208925819614629174706176.0; // 2^80

    /// <summary>The largest magnitude of a value.</summary>
    public const double Limit = 65536;

    /// <summary>The sum, rounded to the nearest double.</summary>
    public double Sum => (double)Units / Scale;

    /// <summary>Sum over count, or null where nothing was added.</summary>
    public double? Mean => Count == 0 ? null : Sum / Count;

    /// <summary>This sum with one more value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is NaN or its magnitude exceeds <see cref="Limit"/>.</exception>
    public ExactSum Add(double value) => new(checked(Units + ToUnits(value)), Count + 1);

    /// <summary>This sum without a value that was added before: the exact inverse of <see cref="Add"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is NaN or its magnitude exceeds <see cref="Limit"/>.</exception>
    public ExactSum Remove(double value) => new(checked(Units - ToUnits(value)), Count - 1);

    /// <summary>The sum of all values of both.</summary>
    public ExactSum Merge(ExactSum other) => new(checked(Units + other.Units), Count + other.Count);

    private static Int128 ToUnits(double value)
    {
        if (!(Math.Abs(value) <= Limit))
            throw new ArgumentOutOfRangeException(nameof(value), value, "an exact sum takes numbers of magnitude up to 65536");
        // Scaling by a power of two is exact; Round ties to even is exact in IEEE arithmetic on every platform.
        return (Int128)Math.Round(value * Scale);
    }
}
