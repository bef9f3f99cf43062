using Silo.Core.Statistics;
using Silo.Experiments.Board;
using Silo.Reporting.Charts;
using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>Part 6: how rho ran as prompts were completed.</summary>
internal static class RunningSection
{
    private const int Height = 150, Shown = 12;

    public static Markup Write(ReportModel model)
    {
        var html = new Html().Add(HeaderSection.Open("running"));
        var golds = BoardViews.Golds(model);
        if (!model.Board.Running.Any(s => s.Points.Count > 0)) return html.Add($"<p>No prompt is completely ranked yet.</p></section>").ToMarkup();
        html.Add($"<p>Running mean rho against the number of complete prompts, in an order drawn from the seed beforehand. The band is the 95 % confidence sequence: it covers the truth at every prompt at once, so one may look, and stop, at any time. A tick below the axis marks a prompt whose ranks were corrected or withdrawn after they had arrived: from there on the guarantee is weaker.</p>");
        foreach (var (gold, i) in golds.Select((g, i) => (g, i)))
        {
            var series = model.Board.Running.Where(s => s.Gold == gold.Name && s.Points.Count > 0).ToList();
            html.Add($"<div class=\"{Switch.View(i == 0)}\" data-gold=\"{i}\"><p class=\"soft\">{GoldWords.Caption(gold)}. Unit: rho.{(series.Count > Shown ? $" The first {Shown} of {series.Count} series are drawn." : "")}</p><div class=\"multiples wide\">");
            var table = new TableMarkup("The last points as a table", "measure", "prompts", "rho", "confidence sequence", "corrected prompts", "waits for");
            foreach (var s in series)
            {
                var sign = BoardViews.Of(model, gold.Name).FirstOrDefault(r => r.Feature == s.Feature)?.Sign() ?? 1;
                var last = s.Points[^1];
                if (series.IndexOf(s) < Shown) html.Add(Draw(s, sign));
                table.Row(null, Name(s, sign), Cell.Of(Numbers.Count(last.N)), Cell.Of(Numbers.Rho(last.Rho * sign, last.Cs)),
                    Cell.Of(Numbers.Range(((Interval?)last.Cs).Shown(sign))), Cell.Of(Numbers.Count(s.Corrected.Count)), s.WaitingFor ?? "\u2013");
            }
            html.Add($"</div>").Add(table.Toggle("running")).Add($"</div>");
        }
        return html.Add($"</section>").ToMarkup();
    }

    private static string Name(RunningSeries series, int sign) => (sign < 0 ? "\u2212" : "") + series.Feature;

    private static Markup Draw(RunningSeries series, int sign)
    {
        var n = series.Points.Select(p => (double)p.N).ToList();
        var rho = series.Points.Select(p => p.Rho * sign).ToList();
        var bands = series.Points.Select(p => ((Interval?)p.Cs).Shown(sign)!.Value).ToList();
        var x = Axis.Linear(0, Math.Max(2, n[^1]));
        var plot = new Plot(x, Axis.Correlation(-1), Height).Axes()
            .Band("cs", n, [.. bands.Select(b => Math.Max(-1, b.Lower))], [.. bands.Select(b => Math.Min(1, b.Upper))])
            .Segment("zero", 0, 0, x.Ticks[^1].Value, 0)
            .Line("rho", n, rho);
        foreach (var at in series.Corrected) plot.Segment("corrected", at, -1, at, -0.86);
        var last = series.Points[^1];
        var words = $"{Numbers.Rho(rho[^1], last.Cs)} {Numbers.Range(bands[^1])} after {Numbers.Count(last.N, "prompt")}";
        return new Html().Add($"<figure><figcaption><b>{Name(series, sign)}</b> <span class=\"soft\">{words}{(series.Corrected.Count > 0 ? $"; {series.Corrected.Count} corrected" : "")}</span></figcaption>")
            .Add(plot.ToMarkup($"Running rho of {Name(series, sign)}: {words}.")).Add($"</figure>").ToMarkup();
    }
}
