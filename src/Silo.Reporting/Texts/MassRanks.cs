namespace Silo.Reporting.Texts;

/// <summary>The ranks at which cumulative masses are kept: 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, ... up to V.</summary>
public static class MassRanks
{
    private static readonly int[] s_mantissas = [10, 15, 20, 30, 50, 70];

    /// <summary>The ranks of a vocabulary, ascending and distinct; the last is V, where the mass is 1.</summary>
    /// <param name="vocabularySize">V, at least 1.</param>
    public static int[] For(int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        var ranks = new List<int> { 1, 2, 3, 5, 7 };
        for (long decade = 1; decade < vocabularySize; decade *= 10)
            foreach (var mantissa in s_mantissas)
                ranks.Add((int)Math.Min(int.MaxValue, mantissa * decade));
        ranks.RemoveAll(rank => rank >= vocabularySize);
        ranks.Add(vocabularySize);
        return [.. ranks];
    }
}
