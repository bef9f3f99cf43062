using System.CommandLine;
using System.Text.Json;
using Silo.Cli.Results;
using Silo.Experiments.Measures;
using Silo.Experiments.Spec;

namespace Silo.Cli.Commands;

/// <summary><c>silo measures</c>: every measure with its direction, unit, range, source and needs.</summary>
internal static class MeasuresCommand
{
    public static Command Create()
    {
        var all = new Option<bool>("--all") { Description = "List the exploratory measures, too, not only the primary family (--json always does)." };
        return new Command("measures", "List the measures: definition, direction declared beforehand, unit, range, source.") { all }
            .WithExamples("silo measures", "silo measures --all", "silo measures --json")
            .Does((result, terminal) =>
            {
                var measures = MeasureCatalog.For(new MeasureCatalogOptions { ReferenceTemperatures = new ExperimentSpec().ReferenceTemperatures }).Measures;
                if (terminal.Json)
                {
                    terminal.WriteJson(new MeasuresResult([.. measures.Select(Facts)]), CliJson.Readable.MeasuresResult);
                    return;
                }
                var shown = measures.Where(measure => measure.Primary || result.GetValue(all)).ToArray();
                terminal.WriteTable(
                    ["measure", "better is", "unit", "range", "definition", "source"],
                    [.. shown.Select(m => new[] { m.Name, Word(m.Direction), m.Unit, Range(m), m.Definition, m.Source })]);
                terminal.WriteLine($"{shown.Length} of {measures.Count} measures; the primary family has {measures.Count(m => m.Primary)}, all others are exploratory.");
            });
    }

    private static MeasureFacts Facts(Measure m) => new(
        m.Name, m.Title, Word(m.Direction), m.Unit, m.Minimum, m.Maximum, m.Definition, m.Source,
        [.. Enum.GetValues<MeasureNeeds>().Where(need => need != 0 && m.Needs.HasFlag(need)).Select(need => JsonNamingPolicy.SnakeCaseLower.ConvertName(need.ToString()))],
        m.Primary, m.Baseline, m.SameOrderAs,
        m.ReferenceTemperature is { } t ? m.Name.Replace(FormattableString.Invariant($"@{t:R}"), "", StringComparison.Ordinal) : null);

    private static string Word(Direction direction) => direction == Direction.Larger ? "larger" : "lower";

    private static string Range(Measure m) =>
        $"{(double.IsFinite(m.Minimum) ? Numbers.Show(m.Minimum, "0.###") : "-∞")}..{(double.IsFinite(m.Maximum) ? Numbers.Show(m.Maximum, "0.###") : "∞")}";
}
