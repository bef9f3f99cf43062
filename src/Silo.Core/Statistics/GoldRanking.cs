using System.Numerics;

namespace Silo.Core.Statistics;

/// <summary>
/// From what several raters said of a prompt's items to one ranking. Ratings are ranks or anything where lower is better;
/// the gold is in mid-ranks, 1 = best.
/// </summary>
public static class GoldRanking
{
    /// <summary>
    /// Gold <c>mean_rank</c> (Borda): mid-ranks of the mean over the complete raters of their mid-ranks. False, and the
    /// ranks are left alone, where fewer than <paramref name="minimumRaters"/> raters are complete.
    /// </summary>
    /// <param name="ratings">Raters and items.</param>
    /// <param name="ranks">Receives the rank of each item.</param>
    /// <param name="minimumRaters">How many complete raters it takes, at least 1.</param>
    /// <param name="multiplicity">How often each rater counts, for resampling raters; empty: once each.</param>
    public static bool MeanRank(
        RatingMatrix ratings, Span<double> ranks, int minimumRaters = 1, ReadOnlySpan<int> multiplicity = default)
    {
        int n = ratings.Items;
        MidRanks.RequireLength(n, ranks.Length);
        Span<int> centred = n <= 256 ? stackalloc int[n] : new int[n];
        Span<double> sums = n <= 256 ? stackalloc double[n] : new double[n];
        sums.Clear();
        int complete = 0;
        for (int rater = 0; rater < ratings.Raters; rater++)
        {
            int times = multiplicity.IsEmpty ? 1 : multiplicity[rater];
            if (times == 0 || !ratings.IsComplete(rater)) continue;
            complete += times;
            MidRanks.Centred(ratings[rater], centred);
            // Sums of integers are exact where means are not, and rank the same.
            for (int i = 0; i < n; i++) sums[i] += (double)times * centred[i];
        }
        if (complete < Math.Max(1, minimumRaters)) return false;
        MidRanks.Compute(sums, ranks);
        return true;
    }

    /// <summary>
    /// Gold <c>pairwise_majority</c>: i beats j if more raters have i strictly before j than j before i (raters who gave
    /// both a value); mid-ranks of items beaten less items beaten by (Copeland 1951), 1 = best.
    /// </summary>
    /// <param name="ratings">Raters and items.</param>
    /// <param name="ranks">Receives the rank of each item.</param>
    /// <returns>Whether some three items beat each other in a circle (Condorcet).</returns>
    public static bool PairwiseMajority(RatingMatrix ratings, Span<double> ranks)
    {
        int n = ratings.Items, words = (n + 63) / 64;
        MidRanks.RequireLength(n, ranks.Length);
        // Row i: a bit for every item that i beats; then a bit for every item that beats i.
        Span<ulong> beats = n <= 64 ? stackalloc ulong[n] : new ulong[n * words];
        Span<ulong> beatenBy = n <= 64 ? stackalloc ulong[n] : new ulong[n * words];
        Span<double> scores = n <= 64 ? stackalloc double[n] : new double[n];
        beats.Clear();
        beatenBy.Clear();
        scores.Clear();
        for (int i = 0; i < n; i++)
        {
            for (int j = i + 1; j < n; j++)
            {
                int balance = VotesFor(ratings, i, j);
                if (balance == 0) continue;
                var (winner, loser) = balance > 0 ? (i, j) : (j, i);
                beats[winner * words + loser / 64] |= 1UL << loser;
                beatenBy[loser * words + winner / 64] |= 1UL << winner;
                scores[winner]--;
                scores[loser]++;
            }
        }
        MidRanks.Compute(scores, ranks);
        return HasCircle(beats, beatenBy, n, words);
    }

    private static int VotesFor(RatingMatrix ratings, int i, int j)
    {
        int balance = 0;
        for (int rater = 0; rater < ratings.Raters; rater++)
        {
            double a = ratings[rater][i], b = ratings[rater][j];
            balance += (a < b ? 1 : 0) - (a > b ? 1 : 0);
        }
        return balance;
    }

    // A circle i > j > k > i: some k that j beats beats i.
    private static bool HasCircle(ReadOnlySpan<ulong> beats, ReadOnlySpan<ulong> beatenBy, int n, int words)
    {
        for (int i = 0; i < n; i++)
        {
            for (int w = 0; w < words; w++)
            {
                for (ulong rest = beats[i * words + w]; rest != 0; rest &= rest - 1)
                {
                    int j = w * 64 + BitOperations.TrailingZeroCount(rest);
                    for (int v = 0; v < words; v++)
                        if ((beats[j * words + v] & beatenBy[i * words + v]) != 0) return true;
                }
            }
        }
        return false;
    }
}
