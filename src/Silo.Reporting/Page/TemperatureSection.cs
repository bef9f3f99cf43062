using Silo.Reporting.Charts;
using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>Part 3: small multiples, each measure by temperature.</summary>
internal static class TemperatureSection
{
    private const int Height = 120, FirstPanels = 12;

    public static Markup Write(ReportModel model)
    {
        var html = new Html().Add(HeaderSection.Open("temperature"));
        if (model.Panels.Count == 0) return html.Add($"<p>No text is finished yet.</p></section>").ToMarkup();
        html.Add($"<p>Every dot is a text: the mean of the feature over its tokens. The line joins the medians, the bars reach from the 10th to the 90th percentile. x: temperature T. Features of p move only because the text before them was sampled at another T.</p><div class=\"multiples\">");
        var table = new TableMarkup("Medians as a table", "measure", "T", "median", "10th percentile", "90th percentile", "texts", "undefined", "unit");
        foreach (var (panel, i) in model.Panels.Select((p, i) => (p, i)))
        {
            if (i == FirstPanels)
                html.Add($"</div><details class=\"numbers\"><summary>The other measures <span class=\"soft\">({Numbers.Count(model.Panels.Count - FirstPanels, "panel")})</span></summary><div class=\"multiples\">");
            html.Add($"<figure><figcaption><b>{panel.Measure}</b> <span class=\"soft\">{panel.Unit}{(panel.Logarithmic ? ", log scale" : "")}</span></figcaption>").Add(Draw(panel)).Add($"</figure>");
            foreach (var c in panel.Columns)
                table.Row(null, panel.Measure, Cell.Of(Numbers.Temperature(c.Temperature)), Cell.Of(Numbers.Quantity(c.Median)), Cell.Of(Numbers.Quantity(c.P10)),
                    Cell.Of(Numbers.Quantity(c.P90)), Cell.Of(Numbers.Count(c.N)), Cell.Of(Numbers.Count(c.Undefined)), panel.Unit);
        }
        html.Add($"</div>");
        if (model.Panels.Count > FirstPanels) html.Add($"</details>");
        return html.Add(table.Toggle("temperature")).Add($"</section>").ToMarkup();
    }

    private static Markup Draw(TemperaturePanel panel)
    {
        var values = panel.Columns.SelectMany(c => c.Values).Where(double.IsFinite).DefaultIfEmpty(0).ToList();
        var temperatures = panel.Columns.Select(c => c.Temperature).ToList();
        var span = Math.Max(temperatures[^1] - temperatures[0], 0.1);
        var x = Axis.Marked(temperatures[0] - 0.12 * span, temperatures[^1] + 0.12 * span,
            temperatures.Select(t => new Tick(t, Numbers.Temperature(t))));
        var y = panel.Logarithmic ? Axis.Log(values.Where(v => v > 0).DefaultIfEmpty(1).Min(), values.Max()) : Axis.Linear(values.Min(), values.Max());
        var plot = new Plot(x, y, Height).Axes();
        foreach (var (column, i) in panel.Columns.Select((c, i) => (c, i)))
        {
            plot.Points($"c{Palette.Step(i, panel.Columns.Count)}", column.Values.Select((v, k) => (column.Temperature + Jitter(k) * 0.06 * span, v)));
            if (double.IsFinite(column.Median)) plot.Segment("spread", column.Temperature, column.P10, column.Temperature, column.P90);
        }
        var medians = panel.Columns.Select(c => c.Median).ToList();
        plot.Line("median", temperatures, medians);
        plot.Points("median", temperatures.Zip(medians));
        var words = string.Join("; ", panel.Columns.Select(c => $"T = {Numbers.Temperature(c.Temperature)}: median {Numbers.Quantity(c.Median)}, n = {Numbers.Count(c.N)}"));
        return plot.ToMarkup($"{panel.Measure} by temperature. {words}");
    }

    /// <summary>A place in [-1, 1] that spreads dots evenly and is the same every time (golden ratio).</summary>
    private static double Jitter(int index) => 2 * (index * 0.6180339887498949 % 1) - 1;
}
