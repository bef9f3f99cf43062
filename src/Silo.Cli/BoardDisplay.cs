using Silo.Experiments.Board;

namespace Silo.Cli;

/// <summary>Shows a board: a table for every gold, controls first, then the measures from the best to the worst.</summary>
internal static class BoardDisplay
{
    private static readonly string[] s_header =
        ["measure", "better is", "#rho", "95 % interval", "any-time interval", "#ties broken", "#tau-b", "#prompts", "#undefined", "verdict"];

    private static readonly string[] s_shortHeader = ["measure", "better is", "#rho", "95 % interval", "any-time interval", "#prompts", "verdict"];

    private const int LeadingMeasures = 8;

    /// <summary>Writes all of it.</summary>
    public static void Show(Terminal terminal, BoardTable table)
    {
        foreach (var gold in table.Golds)
        {
            terminal.WriteLine("");
            terminal.WriteLine(Title(gold));
            terminal.WriteTable(s_header, [.. Lines(table, gold.Name).Select(Cells)]);
            foreach (var line in table.Results.Where(line => line.Gold == gold.Name && line.Verdict is not null))
                terminal.WriteLine($"{line.Feature}: {Word(line.Verdict)}{(line.Reason is null ? "" : $", {line.Reason}")}");
        }
    }

    /// <summary>Writes the controls and the leading measures of every gold but the single raters' own.</summary>
    public static void ShowLeading(Terminal terminal, BoardTable table)
    {
        foreach (var gold in table.Golds.Where(gold => !gold.Name.StartsWith("rater:", StringComparison.Ordinal)))
        {
            terminal.WriteLine("");
            terminal.WriteLine(Title(gold));
            terminal.WriteTable(s_shortHeader, [.. Leading(table, gold.Name).Select(ShortCells)]);
        }
    }

    /// <summary>The controls, then the leading measures of the primary family.</summary>
    public static IEnumerable<MeasureResult> Leading(BoardTable table, string gold)
    {
        var lines = Lines(table, gold).ToArray();
        return [.. lines.Where(line => line.Kind == MeasureKind.Control), .. lines.Where(line => line.Kind != MeasureKind.Control && line.Primary).Take(LeadingMeasures)];
    }

    /// <summary>The cells of a leading line.</summary>
    public static string[] ShortCells(MeasureResult line) =>
        [line.Feature, line.Direction, Numbers.Show(line.RhoWithin, line.Ci), Numbers.Show(line.Ci), Numbers.Show(line.Cs), $"{line.NDefined}", Word(line.Verdict)];

    /// <summary>A gold in one line, with the ceiling.</summary>
    public static string Title(GoldSummary gold) =>
        $"gold {gold.Name}{(gold.Heuristic ? " (heuristic judge, which is no person)" : "")}: {gold.NRated} prompt{(gold.NRated == 1 ? "" : "s")} rated, {gold.NUnrated} not, {gold.Raters} rater{(gold.Raters == 1 ? "" : "s")}"
        + (gold.RaterAgainstRater is { Mean: { } ceiling, Ci: var ci } ? $"; rater against rater {Numbers.Show(ceiling, ci)} {Numbers.Show(ci)}" : "");

    /// <summary>The lines of a gold in the order in which they are shown.</summary>
    public static IEnumerable<MeasureResult> Lines(BoardTable table, string gold) => table.Results
        .Where(line => line.Gold == gold && !(line.Kind == MeasureKind.Control && table.MissingControls.Contains(line.Feature)))
        .OrderBy(line => line.Kind == MeasureKind.Control ? 0 : 1)
        .ThenByDescending(line => Declared(line) ?? double.NegativeInfinity)
        .ThenBy(line => line.Feature, StringComparer.Ordinal);

    /// <summary>The coefficient in the declared direction: what the lines are ordered by.</summary>
    public static double? Declared(MeasureResult line) => line.Kind == MeasureKind.Control
        ? line.RhoWithin is { } rho ? Math.Abs(rho) : null
        : line.Direction == "lower" ? -line.RhoWithin : line.RhoWithin;

    /// <summary>A verdict in words.</summary>
    public static string Word(Verdict? verdict) => verdict switch
    {
        Verdict.Better => "better than every control",
        Verdict.NotBetter => "not better",
        Verdict.Undecided => "undecided",
        _ => "",
    };

    private static string[] Cells(MeasureResult line) =>
    [
        line.Feature, line.Direction, Numbers.Show(line.RhoWithin, line.Ci), Numbers.Show(line.Ci), Numbers.Show(line.Cs), Numbers.Show(line.RhoUntied),
        Numbers.Show(line.TauWithin), $"{line.NDefined}", $"{line.NUndefined}", Word(line.Verdict),
    ];
}
