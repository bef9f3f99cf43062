using Silo.Core.Numerics;

namespace Silo.Core.Statistics;

/// <summary>Kendall's W over many prompts.</summary>
/// <param name="PerPrompt">W of each prompt, null where undefined.</param>
/// <param name="Mean">Mean of the defined ones.</param>
/// <param name="Defined">Number of prompts with a W.</param>
/// <param name="Undefined">Number of prompts without.</param>
public sealed record KendallWOverPrompts(IReadOnlyList<double?> PerPrompt, double? Mean, int Defined, int Undefined);

/// <summary>Kendall's coefficient of concordance with correction for ties (Kendall and Babington Smith 1939).</summary>
public static class KendallW
{
    /// <summary>
    /// W = 12 S / (m² (n³ - n) - m sum_j sum (t³ - t)) over the m complete raters of a prompt with n items; 1 is full
    /// agreement, 0 none. Undefined (null) where m &lt; 2, n &lt; 2 or every rater is constant.
    /// </summary>
    /// <remarks>
    /// On centred mid-ranks a_ji = 2 r_ji - (n+1) this is sum_i (sum_j a_ji)² / (m sum_ji a_ji²), in integers.
    /// </remarks>
    public static double? Coefficient(RatingMatrix ratings)
    {
        Span<int> ranks = ratings.Items <= 256 ? stackalloc int[ratings.Items] : new int[ratings.Items];
        Span<long> sums = ratings.Items <= 256 ? stackalloc long[ratings.Items] : new long[ratings.Items];
        sums.Clear();
        double squares = 0;
        int complete = 0;
        for (int rater = 0; rater < ratings.Raters; rater++)
        {
            if (!ratings.IsComplete(rater)) continue;
            complete++;
            MidRanks.Centred(ratings[rater], ranks);
            for (int i = 0; i < ranks.Length; i++)
            {
                sums[i] += ranks[i];
                squares += (double)ranks[i] * ranks[i];
            }
        }
        if (complete < 2 || squares == 0) return null;
        double spread = 0;
        foreach (long sum in sums) spread += (double)sum * sum;
        return spread / (complete * squares);
    }

    /// <summary>W of each prompt, and their mean.</summary>
    public static KendallWOverPrompts OverPrompts(IReadOnlyList<RatingMatrix> prompts)
    {
        var perPrompt = new double?[prompts.Count];
        ExactSum sum = default;
        for (int p = 0; p < perPrompt.Length; p++)
        {
            perPrompt[p] = Coefficient(prompts[p]);
            if (perPrompt[p] is { } w) sum = sum.Add(w);
        }
        return new(perPrompt, sum.Mean, (int)sum.Count, perPrompt.Length - (int)sum.Count);
    }
}
