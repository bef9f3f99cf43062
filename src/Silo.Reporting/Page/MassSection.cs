using Silo.Reporting.Charts;
using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>Part 4: cumulative mass by rank before and after temperature.</summary>
internal static class MassSection
{
    private const int Height = 190;

    /// <summary>Mass outside the set from which on there is room for its number between the curve and 1.</summary>
    private const double LabelFrom = 0.2;

    public static Markup Write(ReportModel model)
    {
        var mass = model.Mass;
        var html = new Html().Add(HeaderSection.Open("mass")).Add($"<p>{mass.Basis}</p>");
        if (mass.Curves.Count == 0) return html.Add($"</section>").ToMarkup();
        html.Add($"<p>Solid: p = softmax(z), before temperature. Dashed: q = softmax(z/T), after. Both take tokens in p\u2019s order. Shaded: the {(mass.FromSteps ? "median " : "")}set that holds 90 % of p. What q lacks to 1 at its edge is q\u2019s mass outside that one set; the leak is the same for each step\u2019s own set, {(mass.FromSteps ? "averaged over the steps" : "the median over texts")}.</p><div class=\"multiples wide\">");
        var top = mass.Curves.Max(c => Math.Max(c.RanksP.DefaultIfEmpty(1).Max(), c.RanksQ.DefaultIfEmpty(1).Max()));
        var table = new TableMarkup("Curves as a table", "T", "distribution", "rank", "cumulative mass", mass.FromSteps ? "steps" : "texts");
        foreach (var (curve, i) in mass.Curves.Select((c, i) => (c, i)))
        {
            html.Add($"<figure><figcaption><b>T = {Numbers.Temperature(curve.Temperature)}</b> <span class=\"soft\">{(mass.FromSteps ? "mean over" : "medians over")} {Numbers.Count(curve.N, mass.FromSteps ? "step" : "text")}; {(mass.FromSteps ? "mean" : "median")} leak {Numbers.Quantity(curve.Leak)}; p\u2019s top-90 % set: median {Numbers.Count((long)Math.Round(curve.TopSet), "token")}</span></figcaption>");
            html.Add(Draw(curve, top, Palette.Step(i, mass.Curves.Count))).Add($"</figure>");
            foreach (var (name, ranks, masses) in new[] { ("p", curve.RanksP, curve.MassP), ("q", curve.RanksQ, curve.MassQ) })
                foreach (var (rank, value) in ranks.Zip(masses))
                    table.Row(null, Numbers.Temperature(curve.Temperature), name, Cell.Of(Numbers.Quantity(rank)), Cell.Of(Numbers.Quantity(value)), Cell.Of(Numbers.Count(curve.N)));
        }
        return html.Add($"</div><p class=\"soft\">x: rank of the token in p\u2019s order, log scale. y: cumulative mass, from 0 to 1.</p>").Add(table.Toggle("mass")).Add($"</section>").ToMarkup();
    }

    private static Markup Draw(MassCurve curve, double top, int colour)
    {
        var x = Axis.Log(1, Math.Max(10, top));
        var y = Axis.Marked(0, 1, new[] { 0, 0.25, 0.5, 0.75, 0.9, 1 }.Select(v => new Tick(v, v is 0.25 or 0.75 ? "" : Numbers.Mark(v))));
        var plot = new Plot(x, y, Height).Column("topset", 1, curve.TopSet).Axes()
            .Line($"p c{colour}", curve.RanksP, curve.MassP)
            .Line($"q c{colour}", curve.RanksQ, curve.MassQ);
        var (p, q) = (At(curve.RanksP, curve.MassP, curve.TopSet), At(curve.RanksQ, curve.MassQ, curve.TopSet));
        if (q < 1) plot.Segment("gap", curve.TopSet, 1, curve.TopSet, q);
        if (q < 1 - LabelFrom) plot.Label("note-text", curve.TopSet, (1 + q) / 2, $"{Numbers.Quantity(1 - q)} of q outside", 8, 4, "start");
        var ends = $"{Numbers.Quantity(p)} of p and {Numbers.Quantity(q)} of q lie within the first {Numbers.Quantity(curve.TopSet)} tokens";
        return plot.ToMarkup($"Cumulative mass by rank at T = {Numbers.Temperature(curve.Temperature)}: {ends}.");
    }

    /// <summary>The mass at a rank, linear in log rank between points.</summary>
    private static double At(double[] ranks, double[] masses, double rank)
    {
        var next = Array.FindIndex(ranks, r => r >= rank);
        if (next < 0) return masses.Length == 0 ? double.NaN : masses[^1];
        if (next == 0 || ranks[next] == ranks[next - 1]) return masses[next];
        var share = Math.Log(rank / ranks[next - 1]) / Math.Log(ranks[next] / ranks[next - 1]);
        return masses[next - 1] + share * (masses[next] - masses[next - 1]);
    }
}
