namespace Silo.Core.Text;

/// <summary>Distinct n-grams over all n-grams for n = 1..4, each in [0, 1]; 0 where there is no n-gram.</summary>
/// <param name="Distinct1">Of single words.</param>
/// <param name="Distinct2">Of pairs of neighbours.</param>
/// <param name="Distinct3">Of threes.</param>
/// <param name="Distinct4">Of fours.</param>
public readonly record struct DistinctRatios(double Distinct1, double Distinct2, double Distinct3, double Distinct4)
{
    /// <summary>Sum of the four, in [0, 4].</summary>
    public double Sum => Distinct1 + Distinct2 + Distinct3 + Distinct4;
}

/// <summary>
/// Distinct-n, a measure of lexical diversity (Li, Galley, Brockett, Gao and Dolan 2016, "A diversity-promoting objective
/// function for neural conversation models").
/// </summary>
public static class DistinctN
{
    /// <summary>The ratios of one text.</summary>
    /// <param name="words">Its words as numbers, see <see cref="Words.Encode"/>.</param>
    public static DistinctRatios OfText(int[] words) => Pooled([words]);

    /// <summary>The ratios over the n-grams of all texts together; n-grams do not cross texts.</summary>
    /// <param name="texts">The words of each text, numbered together.</param>
    public static DistinctRatios Pooled(IReadOnlyList<int[]> texts)
    {
        var seen = new HashSet<UInt128>();
        return new(Ratio(texts, 1, seen), Ratio(texts, 2, seen), Ratio(texts, 3, seen), Ratio(texts, 4, seen));
    }

    private static double Ratio(IReadOnlyList<int[]> texts, int n, HashSet<UInt128> seen)
    {
        seen.Clear();
        int all = 0;
        foreach (int[] words in texts)
        {
            for (int start = 0; start + n <= words.Length; start++)
            {
                // Up to four words of 32 bits: the n-gram itself, no hash.
                UInt128 gram = 0;
                for (int k = 0; k < n; k++) gram = (gram << 32) | (uint)words[start + k];
                seen.Add(gram);
                all++;
            }
        }
        return all == 0 ? 0 : (double)seen.Count / all;
    }
}
