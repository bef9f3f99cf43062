using System.Numerics;
using System.Runtime.InteropServices;
using Silo.Core.Numerics;

namespace Silo.Core.Statistics;

/// <summary>A paired sign-flip test. A difference of 0 changes no p, so counts are over the other differences.</summary>
/// <param name="PTwoSided">Share of the sign vectors whose sum is at least as far from 0 as the observed one.</param>
/// <param name="PGreater">Share of the sign vectors whose sum is at least the observed one: small when differences are positive.</param>
/// <param name="CountTwoSided">Number of vectors behind the first.</param>
/// <param name="CountGreater">Number of vectors behind the second.</param>
/// <param name="Assignments">Number of vectors looked at.</param>
/// <param name="Exact">Whether these were all there are.</param>
public readonly record struct SignFlipResult(
    double PTwoSided, double PGreater, long CountTwoSided, long CountGreater, long Assignments, bool Exact);

/// <summary>
/// Fisher's randomisation test for paired differences (Fisher 1935, "The design of experiments", section 21): under the
/// null hypothesis each difference could as well have had the other sign.
/// </summary>
public static class SignFlip
{
    /// <summary>Up to so many differences other than 0, all sign vectors are counted; beyond, vectors are drawn.</summary>
    public const int ExactLimit = 20;

    // A draw's signs come eight at a time from a table of their 256 sums.
    private const int GroupSize = 8;

    /// <summary>
    /// The test of the differences' sum. Exact: p = count / 2^n. Random: p = (1 + hits) / (1 + draws) (Phipson and Smyth
    /// 2010). Sums are compared with a slack of 1e-12 sum|d|, so that equal sums count as equal. Null without differences.
    /// </summary>
    /// <param name="differences">Finite numbers, in a fixed order.</param>
    /// <param name="random">The stream to draw from; unused where the test is exact.</param>
    /// <param name="draws">Number of sign vectors drawn, at least 1.</param>
    /// <exception cref="ArgumentException">A difference is not finite.</exception>
    public static SignFlipResult? Test(ReadOnlySpan<double> differences, CounterRandom random, int draws = 10_000)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(draws);
        if (differences.IsEmpty) return null;
        var nonZero = new double[differences.Length];
        int n = 0;
        double observed = 0, magnitude = 0;
        foreach (double d in differences)
        {
            if (!double.IsFinite(d)) throw new ArgumentException("a difference is not finite", nameof(differences));
            if (d == 0) continue;
            nonZero[n++] = d;
            observed += d;
            magnitude += Math.Abs(d);
        }
        double slack = 1e-12 * magnitude;
        return n <= ExactLimit
            ? Enumerate(nonZero.AsSpan(0, n), observed, slack)
            : Draw(nonZero.AsSpan(0, n), observed, slack, random, draws);
    }

    private static SignFlipResult Enumerate(ReadOnlySpan<double> differences, double observed, double slack)
    {
        // Meet in the middle: a vector's sum is a sum of the one half plus a sum of the other.
        var left = SumsOfSigns(differences[..(differences.Length / 2)]);
        var right = SumsOfSigns(differences[(differences.Length / 2)..]);
        Array.Sort(left);
        Array.Sort(right);
        long all = 1L << differences.Length;
        double far = Math.Abs(observed) - slack;
        // Sums lie symmetrically about 0.
        long twoSided = far <= 0 ? all : 2 * CountAtLeast(left, right, far);
        long greater = CountAtLeast(left, right, observed - slack);
        return new((double)twoSided / all, (double)greater / all, twoSided, greater, all, Exact: true);
    }

    private static long CountAtLeast(double[] left, double[] right, double threshold)
    {
        long count = 0;
        int from = right.Length;
        foreach (double sum in left)
        {
            while (from > 0 && sum + right[from - 1] >= threshold) from--;
            count += right.Length - from;
        }
        return count;
    }

    private static double[] SumsOfSigns(ReadOnlySpan<double> differences)
    {
        var sums = new double[1 << differences.Length];
        foreach (double d in differences) sums[0] -= d;
        for (int bits = 1; bits < sums.Length; bits++)
            sums[bits] = sums[bits & (bits - 1)] + 2 * differences[BitOperations.TrailingZeroCount(bits)];
        return sums;
    }

    private static SignFlipResult Draw(
        ReadOnlySpan<double> differences, double observed, double slack, CounterRandom random, int draws)
    {
        var sums = new double[draws];
        var words = new ulong[(draws + 7) / 8];
        var signs = MemoryMarshal.AsBytes(words.AsSpan());
        for (int start = 0; start < differences.Length; start += GroupSize)
        {
            var table = SumsOfSigns(differences[start..Math.Min(start + GroupSize, differences.Length)]);
            random.Fill((ulong)start, words);
            for (int draw = 0; draw < draws; draw++) sums[draw] += table[signs[draw] & (table.Length - 1)];
        }
        double far = Math.Abs(observed) - slack, near = observed - slack;
        long twoSided = 0, greater = 0;
        foreach (double sum in sums)
        {
            if (Math.Abs(sum) >= far) twoSided++;
            if (sum >= near) greater++;
        }
        return new((1.0 + twoSided) / (1 + draws), (1.0 + greater) / (1 + draws), twoSided, greater, draws, Exact: false);
    }
}
