using Silo.Experiments.Board;
using Silo.Reporting.Charts;
using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>Part 7: how far raters agree, with each other and panel against panel.</summary>
internal static class RatersSection
{
    public static Markup Write(ReportModel model)
    {
        var html = new Html().Add(HeaderSection.Open("raters"));
        if (model.Raters.Raters.Count == 0) return html.Add($"<p>Nobody has ranked yet.</p></section>").ToMarkup();
        if (model.Raters.Raters.Count == 1)
            html.Add($"<p>One rater only ({(model.Board.Golds.Any(g => g.Heuristic) ? "the heuristic judge, which is no person" : model.Raters.Raters[0].Name)}), so there is no agreement to report and no ceiling is known.</p>");
        var rows = Rows(model);
        if (rows.Count > 0)
        {
            html.Add($"<figure><figcaption>Mean within-prompt rho of each rater against the mean rank of the rest of the panel, and of gold against gold (panel against panel: judges against people) on the prompts that both have. Bars: 95 % interval. Unit: rho.</figcaption>");
            html.Add(Forest.Draw("Agreement", Axis.Correlation(rows.Min(r => r.Estimate.Ci?.Lower ?? 0)), rows, [], 0)).Add($"</figure>");
        }
        return html.Add(Agreements(model)).Add(Raters(model)).Add(Golds(model))
            .Add($"<p><b>Position bias.</b> {model.Raters.PositionBias}</p></section>").ToMarkup();
    }

    private static List<ForestRow> Rows(ReportModel model) =>
    [
        .. model.Raters.Raters.Select((r, i) => (r, i)).Where(r => r.r.AgainstRest is { Mean: not null })
            .Select(r => Row($"{Who(r.r)}, against the rest", $"rater-{r.i}", r.r.AgainstRest!)),
        .. model.Board.GoldPairs.Select((p, i) => (p, i)).Where(p => p.p.Rho.Mean is not null && !IsOneRater(p.p.A) && !IsOneRater(p.p.B))
            .Select(p => Row($"{p.p.A}, against {p.p.B}", $"goldpair-{p.i}", p.p.Rho)),
    ];

    private static ForestRow Row(string name, string row, Estimate estimate) => new()
    {
        Name = name,
        Row = row,
        Estimate = estimate,
        Mark = "better",
        Words = Numbers.Full(estimate),
        Value = Numbers.Rho(estimate.Mean, estimate.Ci),
    };

    /// <summary>Golds of single raters are in the table; here each rater is held against the rest.</summary>
    private static bool IsOneRater(string gold) => gold.Contains("rater:", StringComparison.Ordinal);

    private static string Who(RaterRow rater) => rater.Panel.Length > 0 && rater.Panel != rater.Name ? $"{rater.Panel}: {rater.Name}" : rater.Name;

    private static Markup Agreements(ReportModel model)
    {
        var table = new TableMarkup("Agreement within each panel", "group", "raters", "prompts", "Krippendorff\u2019s alpha, ordinal", "Kendall\u2019s W, mean", "prompts with W", "rater against rater: rho, mean");
        foreach (var a in model.Raters.Agreements)
            table.Row(null, a.Group, Cell.Of(Numbers.Count(a.Raters)), Cell.Of(Numbers.Count(a.Prompts)), Cell.Of(Numbers.Quantity(a.Alpha)),
                Cell.Of(Numbers.Quantity(a.KendallW)), Cell.Of(Numbers.Count(a.KendallWPrompts)), Cell.Of(Numbers.Full(a.PairwiseRho)));
        return model.Raters.Agreements.Count == 0 ? default : new Html().Add($"<h3>Agreement</h3>").Add(table.Table()).ToMarkup();
    }

    private static Markup Raters(ReportModel model)
    {
        var table = new TableMarkup("Each rater as a table", "rater", "panel", "prompts", "pairs ranked", "of them tied", "rho with the rest of the panel");
        foreach (var (r, i) in model.Raters.Raters.Select((r, i) => (r, i)))
            table.Row($"rater-{i}", r.Name, r.Panel.Length > 0 ? r.Panel : "\u2013", Cell.Of(Numbers.Count(r.Prompts)), Cell.Of(Numbers.Count(r.Pairs)),
                Cell.Of($"{Numbers.Count(r.Ties)} ({Numbers.Percent(r.Pairs == 0 ? null : (double)r.Ties / r.Pairs)})"),
                Cell.Of(r.AgainstRest is null ? "no other rater" : Numbers.Full(r.AgainstRest)));
        return table.Toggle("raters");
    }

    private static Markup Golds(ReportModel model)
    {
        var html = new Html();
        var golds = new TableMarkup("Each gold as a table", "gold", "what it is", "rated prompts", "unrated", "with ties", "all tied", "circles", "raters", "rater against rater", "rater against the rest");
        foreach (var g in model.Board.Golds)
            golds.Row(null, g.Name, GoldWords.Phrase(g), Cell.Of(Numbers.Count(g.NRated)), Cell.Of(Numbers.Count(g.NUnrated)), Cell.Of(Numbers.Count(g.NTied)),
                Cell.Of(Numbers.Count(g.NConstant)), Cell.Of(Numbers.Count(g.NCycles)), Cell.Of(Numbers.Count(g.Raters)),
                Cell.Of(g.RaterAgainstRater is { } a ? Numbers.Full(a) : "\u2013"), Cell.Of(g.RaterAgainstRest is { } b ? Numbers.Full(b) : "\u2013"));
        html.Add(golds.Toggle("golds"));
        if (model.Board.GoldPairs.Count == 0) return html.ToMarkup();
        var pairs = new TableMarkup("Gold against gold as a table", "gold", "against", "rho", "95 % interval", "prompts", "undefined");
        foreach (var (p, i) in model.Board.GoldPairs.Select((p, i) => (p, i)))
            pairs.Row($"goldpair-{i}", p.A, p.B, Cell.Of(Numbers.Rho(p.Rho.Mean, p.Rho.Ci)), Cell.Of(Numbers.Range(p.Rho.Ci)),
                Cell.Of(Numbers.Count(p.Rho.NDefined)), Cell.Of(Numbers.Count(p.Rho.NUndefined)));
        return html.Add(pairs.Toggle("gold_pairs")).ToMarkup();
    }
}
