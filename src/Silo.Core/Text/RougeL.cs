using System.Numerics;

namespace Silo.Core.Text;

/// <summary>ROUGE-L (Lin 2004, "ROUGE: a package for automatic evaluation of summaries", section 3).</summary>
public static class RougeL
{
    /// <summary>
    /// F1 = 2PR/(P+R) = 2L/(|a|+|b|) with L the longest common subsequence, P = L/|b|, R = L/|a|; in [0, 1], 0 where either
    /// text is empty. Symmetric.
    /// </summary>
    /// <param name="a">Words of a text as numbers, see <see cref="Words.Encode"/>.</param>
    /// <param name="b">Words of another, numbered together.</param>
    public static double F1(ReadOnlySpan<int> a, ReadOnlySpan<int> b) =>
        a.IsEmpty || b.IsEmpty ? 0 : 2.0 * LongestCommonSubsequence(a, b) / (a.Length + b.Length);

    /// <summary>
    /// Length of the longest common subsequence, 64 cells at a time (Hyyrö 2004, "Bit-parallel LCS-length computation
    /// revisited").
    /// </summary>
    public static int LongestCommonSubsequence(ReadOnlySpan<int> a, ReadOnlySpan<int> b)
    {
        var pattern = a.Length < b.Length ? a : b;
        var text = a.Length < b.Length ? b : a;
        if (pattern.IsEmpty) return 0;
        var masks = new PatternMasks(pattern);
        // A zero bit at i: row i of the current column exceeds row i - 1 by one.
        var column = new ulong[masks.Blocks];
        Array.Fill(column, ulong.MaxValue);
        foreach (int symbol in text)
        {
            var matches = masks[symbol];
            ulong carry = 0;
            for (int block = 0; block < column.Length; block++)
            {
                // V' = (V + (V & M)) | (V & ~M), the sum running over all blocks.
                ulong v = column[block], u = v & matches[block];
                ulong sum = v + u, withCarry = sum + carry;
                carry = (sum < v ? 1UL : 0) | (withCarry < sum ? 1UL : 0);
                column[block] = withCarry | (v & ~matches[block]);
            }
        }
        int ones = 0;
        for (int block = 0; block < column.Length; block++) ones += BitOperations.PopCount(column[block]);
        // Bits beyond the pattern never match and stay one.
        return 64 * column.Length - ones;
    }
}
