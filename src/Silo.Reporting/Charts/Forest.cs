using Silo.Core.Statistics;
using Silo.Experiments.Board;
using Silo.Reporting.Page;

namespace Silo.Reporting.Charts;

/// <summary>One row of a forest plot.</summary>
internal sealed record ForestRow
{
    /// <summary>What the row is about.</summary>
    public required string Name { get; init; }

    /// <summary>Id of the table row that holds all its numbers; the card and the link lead there.</summary>
    public required string Row { get; init; }

    /// <summary>The estimate, its interval and n.</summary>
    public required Estimate Estimate { get; init; }

    /// <summary>The wider interval, which may be looked at at any time; null where there is none.</summary>
    public Interval? Thin { get; init; }

    /// <summary>Shape of the mark: better, not, undecided, control, baseline, none.</summary>
    public required string Mark { get; init; }

    /// <summary>The same in words.</summary>
    public required string Words { get; init; }

    /// <summary>The number at the end of the row.</summary>
    public required string Value { get; init; }
}

/// <summary>A band behind all rows.</summary>
internal sealed record ForestBand(string Style, string Label, Estimate Estimate);

/// <summary>
/// A forest plot as a list: each row a name, a small SVG and a number, so that names are text, rows take the focus and
/// the plot is as wide as the page. Bands are drawn once, behind the rows.
/// </summary>
internal static class Forest
{
    private const int RowHeight = 24;

    public static Markup Draw(string title, Axis axis, IReadOnlyList<ForestRow> rows, IReadOnlyList<ForestBand> bands, double zero)
    {
        var html = new Html();
        html.Add($"<div class=\"forest\"><div class=\"fhead\" aria-hidden=\"true\"><span></span><svg class=\"faxis\" height=\"20\">");
        foreach (var tick in axis.Ticks)
            html.Add($"<text class=\"tick\" x=\"{100 * axis.Place(tick.Value)}%\" y=\"14\" text-anchor=\"{Anchor(axis, tick.Value)}\">{tick.Label}</text>");
        html.Add($"</svg><span></span></div><div class=\"fbody\"><div class=\"fbands\" aria-hidden=\"true\"><svg width=\"100%\" height=\"100%\">");
        foreach (var tick in axis.Ticks)
            html.Add($"<line class=\"{(tick.Value == zero ? "zero" : "grid")}\" x1=\"{100 * axis.Place(tick.Value)}%\" x2=\"{100 * axis.Place(tick.Value)}%\" y1=\"0\" y2=\"100%\"/>");
        foreach (var band in bands) DrawBand(html, axis, band);
        html.Add($"</svg></div><ol class=\"frows\" aria-label=\"{title}\">");
        foreach (var row in rows) DrawRow(html, axis, row);
        html.Add($"</ol></div></div>");
        return html.ToMarkup();
    }

    private static void DrawBand(Html html, Axis axis, ForestBand band)
    {
        if (band.Estimate.Mean is not { } mean) return;
        if (band.Estimate.Ci is { } ci)
            html.Add($"<rect class=\"fband {band.Style}\" x=\"{100 * axis.Place(ci.Lower)}%\" y=\"0\" width=\"{100 * (axis.Place(ci.Upper) - axis.Place(ci.Lower))}%\" height=\"100%\"/>");
        html.Add($"<line class=\"fline {band.Style}\" x1=\"{100 * axis.Place(mean)}%\" x2=\"{100 * axis.Place(mean)}%\" y1=\"0\" y2=\"100%\"/>");
    }

    private static void DrawRow(Html html, Axis axis, ForestRow row)
    {
        const int Middle = RowHeight / 2;
        html.Add($"<li class=\"frow m-{row.Mark}\"><a class=\"fname\" href=\"#{row.Row}\" data-row=\"{row.Row}\"><span class=\"fn\">{row.Name}</span><span class=\"vh\">: {row.Value}, {row.Words}</span></a><svg class=\"fplot\" height=\"{RowHeight}\" aria-hidden=\"true\">");
        if (row.Estimate.Mean is { } mean)
        {
            DrawInterval(html, axis, "thin", row.Thin);
            DrawInterval(html, axis, "thick", row.Estimate.Ci);
            DrawMark(html, row.Mark, 100 * axis.Place(mean));
        }
        else
            html.Add($"<text class=\"tick\" x=\"{100 * axis.Place(0)}%\" y=\"{Middle + 4}\" dx=\"6\">undefined</text>");
        html.Add($"</svg><span class=\"fval\" aria-hidden=\"true\">{row.Value}</span></li>");
    }

    private static void DrawInterval(Html html, Axis axis, string style, Interval? interval)
    {
        if (interval is { } i)
            html.Add($"<line class=\"{style}\" x1=\"{100 * axis.Place(i.Lower)}%\" x2=\"{100 * axis.Place(i.Upper)}%\" y1=\"{RowHeight / 2}\" y2=\"{RowHeight / 2}\"/>");
    }

    /// <summary>Marks differ in shape, never in colour alone; those with corners sit in a nested view that a percentage can place.</summary>
    public static void DrawMark(Html html, string mark, double at, int middle = RowHeight / 2)
    {
        switch (mark)
        {
            case "better":
                html.Add($"<circle class=\"mark filled\" cx=\"{at}%\" cy=\"{middle}\" r=\"5.5\"/>");
                break;
            case "not":
                html.Add($"<circle class=\"mark hollow\" cx=\"{at}%\" cy=\"{middle}\" r=\"5\"/>");
                break;
            case "undecided":
                html.Add($"<circle class=\"mark hollow\" cx=\"{at}%\" cy=\"{middle}\" r=\"6\"/><circle class=\"mark filled\" cx=\"{at}%\" cy=\"{middle}\" r=\"2\"/>");
                break;
            case "control":
                html.Add($"<svg x=\"{at}%\" y=\"{middle}\" overflow=\"visible\"><path class=\"mark filled\" d=\"M0 -6L6 5H-6Z\"/></svg>");
                break;
            case "baseline":
                html.Add($"<svg x=\"{at}%\" y=\"{middle}\" overflow=\"visible\"><path class=\"mark filled\" d=\"M-4.5 -4.5h9v9h-9Z\"/></svg>");
                break;
            default:
                html.Add($"<svg x=\"{at}%\" y=\"{middle}\" overflow=\"visible\"><path class=\"mark hollow\" d=\"M0 -6L6 0L0 6L-6 0Z\"/></svg>");
                break;
        }
    }

    private static string Anchor(Axis axis, double value) => axis.Place(value) switch { < 0.03 => "start", > 0.97 => "end", _ => "middle" };
}
