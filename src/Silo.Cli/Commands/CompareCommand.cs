using System.CommandLine;
using Silo.Local.Comparison;
using Silo.Storage.Runs;

namespace Silo.Cli.Commands;

/// <summary><c>silo compare</c>: two stored runs side by side, paired by prompt.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var first = Common.Path("A", "A run directory.");
        var second = Common.Path("B", "Another run directory.");
        return new Command("compare", "Two stored runs side by side, on the prompts that both have.") { first, second }
            .WithExamples("silo compare runs/small runs/large", "silo compare runs/small runs/large --json")
            .Does((result, terminal) =>
            {
                using var a = RunReader.Open(result.GetRequiredValue(first));
                using var b = RunReader.Open(result.GetRequiredValue(second));
                var comparison = RunComparer.Compare(a, b);
                if (terminal.Json) terminal.WriteJson(comparison, ComparisonJson.Default.RunComparison);
                else Show(terminal, comparison);
            });
    }

    private static void Show(Terminal terminal, RunComparison comparison)
    {
        terminal.WriteLine($"A  {comparison.A.Run}: {comparison.A.Name}, {Numbers.Count(comparison.A.Generations)} texts");
        terminal.WriteLine($"B  {comparison.B.Run}: {comparison.B.Name}, {Numbers.Count(comparison.B.Generations)} texts");
        foreach (var difference in comparison.SpecDifferences) terminal.WriteLine($"   {difference}");
        terminal.WriteLine($"{comparison.Prompts} prompts in both, at T = {string.Join(", ", comparison.Temperatures)}; differences are B - A, p is not adjusted for the number of lines");
        terminal.WriteLine("");
        Lines("mean of the measure", comparison.Measures);
        foreach (var gold in comparison.Correlations.GroupBy(line => line.Gold)) Lines($"rho, gold {gold.Key}", [.. gold]);

        void Lines(string title, IReadOnlyList<PairedMeasure> lines)
        {
            terminal.WriteTable([title, "#A", "#B", "#B - A", "95 % interval", "#p", "#prompts"], [.. lines.Select(line => new[]
            {
                line.Measure, Numbers.Show(line.MeanA, "0.###"), Numbers.Show(line.MeanB, "0.###"), Numbers.Show(line.Difference, "0.###"),
                line.Ci is [var low, var high] ? $"[{Numbers.Show(low, "0.###")}, {Numbers.Show(high, "0.###")}]" : "-", Numbers.Show(line.P, "0.000"), $"{line.N}",
            })]);
            terminal.WriteLine("");
        }
    }
}
