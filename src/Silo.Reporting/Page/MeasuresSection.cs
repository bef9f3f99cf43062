using Silo.Experiments.Board;
using Silo.Reporting.Charts;
using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>Part 2: the forest plot of every measure beside the controls, and the same numbers as tables.</summary>
internal static class MeasuresSection
{
    public static Markup Write(ReportModel model)
    {
        var html = new Html().Add(HeaderSection.Open("measures"));
        var golds = BoardViews.Golds(model);
        if (golds.Count == 0) return html.Add($"<p>Nothing is ranked yet.</p></section>").ToMarkup();
        html.Add($"<p>Dot: mean within-prompt Spearman rho with the gold. Thick bar: 95 % bootstrap interval over prompts. Thin bar: 95 % confidence sequence, which holds however often one looks. A minus before a name: lower was declared to be better, so the measure is shown negated, and right always means \u201Cgoes with better ranks, as declared\u201D. Controls were declared neither way and are shown the way that serves them.</p>");
        html.Add(Switch.Of("gold", "Gold", [.. golds.Select((g, i) => new Choice($"{i}", g.Name))]));
        html.Add(Switch.Of("view", "Measures", [.. BoardViews.Views(model, golds[0].Name).Select(v => new Choice(v.Key, v.Title))]));
        if (golds.Count < model.Board.Golds.Count)
            html.Add($"<p class=\"soft\">{golds.Count} of {Numbers.Count(model.Board.Golds.Count, "gold")} are drawn (the first ones, without those that repeat another); all are in <a href=\"tables/measures.csv\">tables/measures.csv</a>.</p>");
        html.Add(Legend());
        foreach (var (gold, i) in golds.Select((g, i) => (g, i)))
            foreach (var (view, j) in BoardViews.Views(model, gold.Name).Select((v, j) => (v, j)))
                WriteView(html, model, gold, i, view, i == 0 && j == 0);
        return html.Add($"</section>").ToMarkup();
    }

    private static void WriteView(Html html, ReportModel model, GoldSummary gold, int index, BoardView view, bool shown)
    {
        var controls = BoardViews.Controls(model, gold.Name);
        IReadOnlyList<MeasureResult> all = [.. controls, .. view.Results];
        string Id(MeasureResult r) => $"m{index}-{view.Key}-{all.ToList().IndexOf(r)}";
        var axis = Axis.Correlation(all.Select(Lowest).Append(0).Min());
        html.Add($"<figure class=\"{Switch.View(shown)}\" data-gold=\"{index}\" data-view=\"{view.Key}\"><figcaption><b>{view.Title}</b> \u2014 {GoldWords.Caption(gold)}. {view.Note} Unit: rho, from \u22121 to +1.</figcaption>");
        html.Add(Forest.Draw($"{view.Title}, {gold.Name}", axis, [.. all.Select(r => Row(r, Id(r)))], Bands(controls, gold), 0));
        html.Add(Table(model, view, all, Id)).Add(Contrasts(view)).Add($"</figure>");
    }

    private static double Lowest(MeasureResult result) =>
        result.Shown() is { Mean: { } mean } shown ? Math.Min(mean, shown.Ci?.Lower ?? mean) : 0;

    private static ForestRow Row(MeasureResult result, string id) => new()
    {
        Name = result.ShownName(),
        Row = id,
        Estimate = result.Shown(),
        Thin = result.Cs.Shown(result.Sign()),
        Mark = Mark(result),
        Words = Words(result),
        Value = Numbers.Rho(result.RhoWithin * result.Sign(), result.Ci),
    };

    /// <summary>The shape of a measure's mark.</summary>
    public static string Mark(MeasureResult result) => result switch
    {
        { Kind: MeasureKind.Control } => "control",
        { Verdict: Verdict.Better } => "better",
        { Verdict: Verdict.NotBetter } => "not",
        { Verdict: Verdict.Undecided } => "undecided",
        _ => "none",
    };

    /// <summary>The same in words.</summary>
    public static string Words(MeasureResult result) => result switch
    {
        { Kind: MeasureKind.Control } => "control",
        { Verdict: Verdict.Better } => "better than every control",
        { Verdict: Verdict.NotBetter } => "not better",
        { Verdict: Verdict.Undecided } => "undecided",
        _ => "exploratory, no verdict",
    };

    private static List<ForestBand> Bands(IReadOnlyList<MeasureResult> controls, GoldSummary gold)
    {
        var bands = new List<ForestBand>();
        foreach (var (name, style) in new[] { ("control.temperature", "b-temp"), ("control.temperature_best", "b-best"), ("control.length", "b-length") })
            if (controls.FirstOrDefault(c => c.Feature == name) is { } control)
                bands.Add(new ForestBand(style, name, control.Shown()));
        if (gold.RaterAgainstRater is { } ceiling) bands.Add(new ForestBand("b-ceiling", "ceiling", ceiling));
        return bands;
    }

    private static Markup Legend()
    {
        var html = new Html().Add($"<ul class=\"legend\">");
        foreach (var (mark, text) in new[] { ("better", "better than every control"), ("not", "not better"), ("undecided", "undecided"), ("none", "exploratory: no verdict"), ("control", "control") })
        {
            html.Add($"<li><svg width=\"18\" height=\"16\" aria-hidden=\"true\" class=\"m-{mark}\">");
            Forest.DrawMark(html, mark, 50, 8);
            html.Add($"</svg>{text}</li>");
        }
        foreach (var (style, text) in new[] { ("b-temp", "control: temperature"), ("b-best", "control: its best function, from other prompts"), ("b-length", "control: length"), ("b-ceiling", "ceiling between raters (hatched)") })
            html.Add($"<li><svg width=\"18\" height=\"16\" aria-hidden=\"true\"><rect class=\"fband {style}\" width=\"18\" height=\"16\"/><line class=\"fline {style}\" x1=\"9\" x2=\"9\" y1=\"0\" y2=\"16\"/></svg>{text}</li>");
        return html.Add($"</ul>").ToMarkup();
    }

    private static Markup Table(ReportModel model, BoardView view, IReadOnlyList<MeasureResult> all, Func<MeasureResult, string> id)
    {
        var declared = model.Measures.ToDictionary(m => m.Name, StringComparer.Ordinal);
        var controls = model.Board.Controls.ToDictionary(c => c.Name, StringComparer.Ordinal);
        var table = new TableMarkup($"These numbers as a table: {view.Title}",
            "measure", "verdict", "rho", "95 % interval", "confidence sequence", "n", "undefined", "unrated",
            "rho, ties broken at random", "tau-b", "rho, pooled", "within one T", "p, Holm", "prompts needed", "unit", "definition", "source");
        foreach (var r in all)
        {
            var sign = r.Sign();
            var measure = declared.GetValueOrDefault(r.Feature);
            table.Row(id(r), r.ShownName(), Words(r) + (r.Reason is { Length: > 0 } why ? $": {why}" : ""),
                Cell.Of(Numbers.Rho(r.RhoWithin * sign, r.Ci)), Cell.Of(Numbers.Range(r.Ci.Shown(sign))),
                Cell.Of($"{Numbers.Range(r.Cs.Shown(sign))}, n = {Numbers.Count(r.NCs)}"),
                Cell.Of(Numbers.Count(r.NDefined)), Cell.Of(Numbers.Count(r.NUndefined)), Cell.Of(Numbers.Count(r.NUnrated)),
                Cell.Of(Numbers.Rho(r.RhoUntied * sign)), Cell.Of(Numbers.Rho(r.TauWithin * sign)), Cell.Of(Numbers.Rho(r.PooledRho * sign)),
                Cell.Of(r.WithinTemperature is { } within ? Numbers.Full(within with { Mean = within.Mean * sign, Ci = within.Ci.Shown(sign) }) : "one sample only"),
                Cell.Of(r.PHolm is null ? "\u2013" : Numbers.P(r.PHolm)),
                Cell.Of(r.PromptsNeeded is { } needed ? $"about {Numbers.Count(needed)}" : "\u2013"),
                measure?.Unit ?? "", measure?.Definition ?? controls.GetValueOrDefault(r.Feature)?.Definition ?? r.Title, measure?.Source ?? "Silo, control");
        }
        return table.Toggle("measures");
    }

    /// <summary>The paired differences of the declared family; those of all measures are in the file.</summary>
    private static Markup Contrasts(BoardView view)
    {
        var others = view.Results.SelectMany(r => r.Differences.Select(d => d.To)).Distinct().ToList();
        if (others.Count == 0 || !view.IsFamily) return default;
        var table = new TableMarkup("Paired differences to each control and baseline, on the prompts where both are defined",
            ["measure", .. others.Select(o => $"minus {o}")]);
        foreach (var r in view.Results)
            table.Row(null, [r.ShownName(), .. others.Select(o => (Cell)(r.Differences.FirstOrDefault(d => d.To == o) is { } d ? Phrase(d) : "\u2013"))]);
        return table.Toggle("differences");
    }

    private static string Phrase(Difference difference) =>
        $"{Phrase(difference.Defined)}, p {Numbers.P(difference.Defined.P)}; undefined as 0: "
        + (difference.UndefinedAsZero.N == difference.Defined.N ? "the same" : Phrase(difference.UndefinedAsZero));

    private static string Phrase(PairedDifference d) => d.Mean is null
        ? $"{Numbers.Undefined}, n = {Numbers.Count(d.N)}"
        : $"{Numbers.Rho(d.Mean, d.Ci)} {Numbers.Range(d.Ci)}, n = {Numbers.Count(d.N)}";
}
