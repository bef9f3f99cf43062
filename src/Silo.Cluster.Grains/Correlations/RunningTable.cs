using Silo.Cluster.Contracts.Correlations;
using Silo.Experiments.Board;
using Silo.Experiments.Controls;

namespace Silo.Cluster.Grains.Correlations;

/// <summary>The running table as the sums alone can say it; verdicts need the prompts themselves, and come with an export.</summary>
internal static class RunningTable
{
    private const double Normal95 = 1.959963984540054;

    public static RunningBoard Of(BoardSums sums)
    {
        var controls = Control.Columns;
        var lines = new List<RunningLine>();
        foreach (var (gold, of) in sums.Golds)
            for (var column = 0; column < of.Columns.Length; column++)
            {
                var measure = column < controls.Count ? null : sums.Design.Measures[column - controls.Count];
                lines.Add(Line(gold, measure?.Name ?? controls[column].Name, measure is not { Primary: false }, of.Columns[column], of.Rated, sums.Prompts));
            }
        return new RunningBoard { Prompts = sums.Prompts, Texts = sums.Texts, Lines = lines };
    }

    private static RunningLine Line(string gold, string name, bool declared, GoldSums.ColumnSums column, int rated, int prompts)
    {
        var n = column.Rho.Count;
        var mean = column.Rho.Mean;
        double? half = null;
        if (n > 1)
        {
            // Sample variance from exact sums; what rounding leaves below zero is zero.
            var variance = Math.Max(0, (column.RhoSquared.Sum - n * mean!.Value * mean.Value) / (n - 1));
            half = Normal95 * Math.Sqrt(variance / n);
        }
        return new RunningLine
        {
            Gold = gold,
            Measure = name,
            Declared = declared,
            Rho = mean,
            Lower = mean - half is { } lower ? Math.Max(-1, lower) : null,
            Upper = mean + half is { } upper ? Math.Min(1, upper) : null,
            RhoUntied = column.RhoUntied.Mean,
            Defined = n,
            Undefined = rated - n,
            Unrated = prompts - rated,
        };
    }
}
