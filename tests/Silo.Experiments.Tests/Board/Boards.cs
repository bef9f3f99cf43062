using Silo.Experiments.Board;
using Silo.Experiments.Measures;
using Silo.Experiments.Ranking;

namespace Silo.Experiments.Tests.Board;

/// <summary>Small boards for tests.</summary>
internal static class Boards
{
    public static BoardDesign Design(params string[] measures) => new() { Measures = [.. measures.Select(m => Measure.OfColumn(m))], Seed = 7 };

    public static BoardText Text(string item, params double[] measures) => new(item, double.NaN, double.NaN, double.NaN, measures);

    public static BoardText At(double temperature, string item, params double[] measures) => new(item, temperature, double.NaN, double.NaN, measures);

    /// <summary>Gives a prompt the ranks of one rater, in the order of items a, b, c, ...; NaN is missing.</summary>
    public static void Rank(this CorrelationBoard board, string prompt, string rater, params double[] ranks)
    {
        for (var i = 0; i < ranks.Length; i++)
            if (!double.IsNaN(ranks[i])) board.Apply(new RankEvent(prompt, Item(i), rater, null, ranks[i]));
    }

    /// <summary>Gives a prompt texts a, b, c, ... of one measure.</summary>
    public static void Texts(this CorrelationBoard board, string prompt, params double[] values) =>
        board.SetTexts(prompt, [.. values.Select((v, i) => Text(Item(i), v))]);

    public static string Item(int index) => ((char)('a' + index)).ToString();

    public static MeasureResult Result(this BoardTable table, string gold, string feature) =>
        table.Results.Single(r => r.Gold == gold && r.Feature == feature);
}
