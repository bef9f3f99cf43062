namespace Silo.Experiments.Board;

/// <summary>Kinds of pairs of texts: 0 = any pair; then the pairs of the design's temperatures, lower by lower.</summary>
internal static class PairKind
{
    /// <summary>Most temperatures whose pairs are told apart.</summary>
    public const int MaxTemperatures = 10;

    public static int Count(int temperatures) => 1 + temperatures * (temperatures - 1) / 2;

    /// <summary>The kind of a pair of two temperatures; 0 where they are equal or not of the design.</summary>
    public static int Of(IReadOnlyList<double> temperatures, double a, double b)
    {
        var (low, high) = (IndexOf(temperatures, Math.Min(a, b)), IndexOf(temperatures, Math.Max(a, b)));
        return low < 0 || high < 0 || low == high ? 0 : 1 + Offset(low, temperatures.Count) + high - low - 1;
    }

    /// <summary>The two temperatures of a kind; null for kind 0.</summary>
    public static (double Low, double High)? Temperatures(IReadOnlyList<double> temperatures, int kind)
    {
        if (kind == 0) return null;
        for (var low = 0; low < temperatures.Count; low++)
        {
            var first = 1 + Offset(low, temperatures.Count);
            var count = temperatures.Count - 1 - low;
            if (kind < first + count) return (temperatures[low], temperatures[low + 1 + kind - first]);
        }
        throw new ArgumentOutOfRangeException(nameof(kind));
    }

    private static int Offset(int low, int count) => low * (2 * count - low - 1) / 2;

    private static int IndexOf(IReadOnlyList<double> temperatures, double value)
    {
        for (var i = 0; i < temperatures.Count; i++)
            if (temperatures[i] == value) return i;
        return -1;
    }
}
