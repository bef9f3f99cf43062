using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Silo.Core.Statistics;

/// <summary>
/// Mid-ranks: ascending, the smallest value has rank 1, equal values share the mean of their positions. Equality is
/// exact, -0 equals 0, infinities are ordinary extremes, NaN has no rank.
/// </summary>
public static class MidRanks
{
    // Below this, counting pairs is faster than sorting.
    private const int PairwiseLimit = 64;
    // Below this, the few pairs are counted one by one.
    private const int VectorFrom = 8;

    /// <summary>Mid-ranks of the values, 1..n in steps of one half.</summary>
    /// <param name="values">n numbers.</param>
    /// <param name="ranks">Receives n ranks.</param>
    /// <exception cref="ArgumentException">A value is NaN, or the spans differ in length.</exception>
    public static void Compute(ReadOnlySpan<double> values, Span<double> ranks)
    {
        var rented = ArrayPool<int>.Shared.Rent(values.Length);
        var centred = rented.AsSpan(0, values.Length);
        Centred(values, centred);
        RequireLength(values.Length, ranks.Length);
        for (int i = 0; i < centred.Length; i++) ranks[i] = (centred[i] + values.Length + 1) / 2.0;
        ArrayPool<int>.Shared.Return(rented);
    }

    /// <summary>
    /// Twice the mid-rank less n + 1: an integer with mean 0, equal to the number of smaller less the number of larger
    /// values. On these, every rank statistic is integer arithmetic up to the last division.
    /// </summary>
    /// <param name="values">n numbers.</param>
    /// <param name="centred">Receives n integers in -(n-1)..n-1.</param>
    /// <exception cref="ArgumentException">A value is NaN, or the spans differ in length.</exception>
    public static void Centred(ReadOnlySpan<double> values, Span<int> centred)
    {
        RequireLength(values.Length, centred.Length);
        if (HasNaN(values)) throw new ArgumentException("NaN has no rank", nameof(values));
        if (values.Length < VectorFrom) CountPairs(values, centred);
        else if (values.Length <= PairwiseLimit) CountPairsByFour(values, centred);
        else SortAndCount(values, centred);
    }

    internal static bool HasNaN(ReadOnlySpan<double> values)
    {
        foreach (double value in values)
            if (double.IsNaN(value)) return true;
        return false;
    }

    internal static void RequireLength(int expected, int actual)
    {
        if (expected != actual) throw new ArgumentException($"{expected} values beside {actual}");
    }

    private static void CountPairs(ReadOnlySpan<double> values, Span<int> centred)
    {
        centred.Clear();
        for (int i = 1; i < values.Length; i++)
        {
            double value = values[i];
            int balance = 0;
            for (int j = 0; j < i; j++)
            {
                int sign = (value > values[j] ? 1 : 0) - (value < values[j] ? 1 : 0);
                balance += sign;
                centred[j] -= sign;
            }
            centred[i] = balance;
        }
    }

    private static void CountPairsByFour(ReadOnlySpan<double> values, Span<int> centred)
    {
        var fours = MemoryMarshal.Cast<double, Vector256<double>>(values);
        var rest = values[(fours.Length * Vector256<double>.Count)..];
        for (int i = 0; i < centred.Length; i++)
        {
            var value = Vector256.Create(values[i]);
            var balance = Vector256<long>.Zero;
            // A true lane is -1.
            foreach (var others in fours)
                balance += Vector256.LessThan(value, others).AsInt64() - Vector256.GreaterThan(value, others).AsInt64();
            int sum = (int)Vector256.Sum(balance);
            foreach (double other in rest) sum += (values[i] > other ? 1 : 0) - (values[i] < other ? 1 : 0);
            centred[i] = sum;
        }
    }

    private static void SortAndCount(ReadOnlySpan<double> values, Span<int> centred)
    {
        int n = values.Length;
        var sorted = ArrayPool<double>.Shared.Rent(n);
        var order = ArrayPool<int>.Shared.Rent(n);
        values.CopyTo(sorted);
        for (int i = 0; i < n; i++) order[i] = i;
        sorted.AsSpan(0, n).Sort(order.AsSpan(0, n));
        for (int start = 0, end; start < n; start = end)
        {
            for (end = start + 1; end < n && sorted[end] == sorted[start];) end++;
            // start values are smaller, n - end larger.
            for (int k = start; k < end; k++) centred[order[k]] = start - (n - end);
        }
        ArrayPool<double>.Shared.Return(sorted);
        ArrayPool<int>.Shared.Return(order);
    }
}
