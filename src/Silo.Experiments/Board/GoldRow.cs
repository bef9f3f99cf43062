using Silo.Core.Statistics;
using Silo.Experiments.Controls;
using Silo.Experiments.Ranking;

namespace Silo.Experiments.Board;

/// <summary>The part of a prompt's row that a board keeps, since intervals are computed from it. Undefined is NaN.</summary>
/// <param name="Gold">The gold's ranking of the prompt.</param>
/// <param name="Rho">Spearman's rho of each column; positive when larger values go with better ranks.</param>
/// <param name="Within">Mean over temperatures of rho among the texts of one temperature; null where no temperature has two ranked texts.</param>
/// <param name="HasValues">Whether each column has a value for every ranked text.</param>
internal sealed record RhoRow(PromptGold Gold, double[] Rho, double[]? Within, bool[] HasValues);

/// <summary>
/// One prompt against one gold: for each column its correlations and how it orders pairs of texts. A pure function of
/// the prompt's texts and ranks; everything else that a board says is made of such rows. Undefined is NaN.
/// </summary>
public sealed class GoldRow
{
    private GoldRow(PromptGold gold, int columns, int kinds)
    {
        Gold = gold;
        Rho = Undefined(columns);
        RhoUntied = Undefined(columns);
        Tau = Undefined(columns);
        HasValues = new bool[columns];
        Pairs = new int[kinds];
        GoldTies = new int[kinds];
        Agree = new int[kinds * columns];
        FeatureTies = new int[kinds * columns];
    }

    /// <summary>The gold's ranking of the prompt.</summary>
    public PromptGold Gold { get; }

    /// <summary>Spearman's rho of each column; positive when larger values go with better ranks.</summary>
    public double[] Rho { get; }

    /// <summary>Its expectation with the column's ties broken at random.</summary>
    public double[] RhoUntied { get; }

    /// <summary>Kendall's tau-b of each column.</summary>
    public double[] Tau { get; }

    /// <summary>Mean over temperatures of rho among the texts of one temperature; null where no temperature has two ranked texts.</summary>
    public double[]? Within { get; private set; }

    /// <summary>Whether each column has a value for every ranked text.</summary>
    public bool[] HasValues { get; }

    /// <summary>Number of pairs of each kind.</summary>
    public int[] Pairs { get; }

    /// <summary>Pairs of each kind that the gold ties.</summary>
    public int[] GoldTies { get; }

    /// <summary>[columns x kinds] pairs of which gold and column (in the direction of <see cref="Sign"/>) say the same.</summary>
    public int[] Agree { get; }

    /// <summary>[columns x kinds] pairs that the column ties.</summary>
    public int[] FeatureTies { get; }

    /// <summary>The part that is kept.</summary>
    internal RhoRow Kept => new(Gold, Rho, Within, HasValues);

    /// <summary>The row of a prompt and a gold.</summary>
    public static GoldRow Compute(BoardDesign design, PromptTexts texts, PromptGold gold)
    {
        var n = gold.Items.Length;
        var kinds = PairKind.Count(design.Temperatures.Count);
        var row = new GoldRow(gold, texts.Columns, kinds);
        var pairs = row.ListPairs(texts, gold, kinds, out var untiedGold);
        Span<int> ranks = n <= 256 ? stackalloc int[n] : new int[n];
        for (var column = 0; column < texts.Columns; column++)
        {
            if (!texts.TryRank(column, gold.Items, ranks)) continue;
            row.HasValues[column] = true;
            if (Spearman.OfCentred(ranks, gold.Merit) is { } correlation)
                (row.Rho[column], row.RhoUntied[column]) = (correlation.Rho, correlation.RhoUntied);
            row.ComparePairs(column, Sign(design, column), ranks, pairs, kinds, untiedGold);
        }
        row.ComputeWithin(texts, gold);
        return row;
    }

    /// <summary>The direction in which a column's pairs are counted: +1 where larger is better, -1 where lower is.</summary>
    internal static int Sign(BoardDesign design, int column)
    {
        var controls = Control.Columns;
        return column >= controls.Count ? design.Measures[column - controls.Count].Sign
            : controls[column].Direction == Measures.Direction.Larger ? 1 : -1;
    }

    private readonly record struct Pair(int First, int Second, int Sign, int Kind);

    private Pair[] ListPairs(PromptTexts texts, PromptGold gold, int kinds, out long untied)
    {
        var n = gold.Items.Length;
        var pairs = new Pair[n * (n - 1) / 2];
        var next = 0;
        untied = 0;
        for (var i = 1; i < n; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var kind = kinds == 1 ? 0 : texts.PairKinds[gold.Items[i], gold.Items[j]];
                var sign = Math.Sign(gold.Merit[i] - gold.Merit[j]);
                pairs[next++] = new(i, j, sign, kind);
                untied += sign * sign;
                Count(Pairs, kind, 1);
                if (sign == 0) Count(GoldTies, kind, 1);
            }
        }
        return pairs;

        static void Count(int[] counts, int kind, int step)
        {
            counts[0] += step;
            if (kind > 0) counts[kind] += step;
        }
    }

    // One walk over the pairs gives tau-b (SCHEMA 5.1) and the agreements.
    private void ComparePairs(int column, int direction, ReadOnlySpan<int> ranks, Pair[] pairs, int kinds, long untiedGold)
    {
        long balance = 0, untied = 0;
        foreach (var (first, second, goldSign, kind) in pairs)
        {
            var sign = Math.Sign(ranks[first] - ranks[second]);
            balance += sign * goldSign;
            untied += sign * sign;
            if (sign == 0)
            {
                FeatureTies[column * kinds]++;
                if (kind > 0) FeatureTies[column * kinds + kind]++;
            }
            if (sign * direction != goldSign) continue;
            Agree[column * kinds]++;
            if (kind > 0) Agree[column * kinds + kind]++;
        }
        if (untied > 0 && untiedGold > 0) Tau[column] = Math.Clamp(balance / Math.Sqrt((double)untied * untiedGold), -1, 1);
    }

    private void ComputeWithin(PromptTexts texts, PromptGold gold)
    {
        var groups = Enumerable.Range(0, gold.Items.Length)
            .Where(i => !double.IsNaN(texts.Temperatures[gold.Items[i]]))
            .GroupBy(i => texts.Temperatures[gold.Items[i]])
            .Where(g => g.Count() > 1)
            .OrderBy(g => g.Key)
            .Select(g => (Items: g.Select(i => gold.Items[i]).ToArray(), Merit: Rerank([.. g.Select(i => (double)gold.Merit[i])])))
            .ToArray();
        if (groups.Length == 0) return;
        Within = Undefined(texts.Columns);
        var ranks = new int[gold.Items.Length];
        for (var column = 0; column < texts.Columns; column++)
        {
            double sum = 0;
            var defined = 0;
            foreach (var (items, merit) in groups)
            {
                var some = ranks.AsSpan(0, items.Length);
                if (!texts.TryRank(column, items, some) || Spearman.OfCentred(some, merit) is not { } correlation) continue;
                sum += correlation.Rho;
                defined++;
            }
            if (defined > 0) Within[column] = sum / defined;
        }
    }

    private static int[] Rerank(double[] values)
    {
        var ranks = new int[values.Length];
        MidRanks.Centred(values, ranks);
        return ranks;
    }

    private static double[] Undefined(int count)
    {
        var values = new double[count];
        Array.Fill(values, double.NaN);
        return values;
    }
}
