using MathNet.Numerics.Distributions;
using Silo.Experiments.Board;
using Silo.Reporting.Charts;
using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>Part 1: what came out, in one sentence, and what must be said beside it.</summary>
internal static class VerdictSection
{
    private const int FewPrompts = 20;

    public static Markup Write(ReportModel model)
    {
        var html = new Html().Add(HeaderSection.Open("verdict"));
        var golds = BoardViews.Golds(model);
        if (golds.Count == 0)
            return html.Add($"<p class=\"lead\">Nothing is ranked yet, so nothing can be said of the measures. Texts and features are below; <code>silo rank DIR --ranks R.csv</code> adds ranks.</p></section>").ToMarkup();
        foreach (var (gold, i) in golds.Select((g, i) => (g, i))) WriteGold(html, model, gold, i);
        return html.Add(Reading(model, golds[0])).Add($"</section>").ToMarkup();
    }

    private static void WriteGold(Html html, ReportModel model, GoldSummary gold, int index)
    {
        var words = new VerdictWords(model, gold);
        html.Add($"<div class=\"{Switch.View(index == 0)}\" data-gold=\"{index}\"><p class=\"lead\">{words.Sentence} <span class=\"gold\">(gold: {GoldWords.Phrase(gold)})</span></p><p class=\"rest\">{words.Rest}</p>");
        html.Add(Tally(words)).Add($"<dl class=\"key\">");
        if (words.Strongest is { } measure)
            html.Add($"<div><dt>Strongest primary measure (picked afterwards: too good by the choice)</dt><dd>{measure.ShownName()}<br><b>{Numbers.Full(measure.Shown())}</b></dd></div>");
        if (words.StrongestControl is { } control)
            html.Add($"<div><dt>Strongest control</dt><dd>{control.ShownName()}<br><b>{Numbers.Full(control.Shown())}</b></dd></div>");
        foreach (var half in model.Board.BestByHalves.Where(h => h.Gold == gold.Name))
            html.Add($"<div><dt>Best measure, chosen on half {half.ChosenOn + 1}</dt><dd>{Name(model, half)}: {Numbers.Rho(half.RhoChosen)} there; on the other half<br><b>{Numbers.Full(half.Rho)}</b>{Against(half)}</dd></div>");
        html.Add($"<div><dt>Ceiling: a rater against another (a panel\u2019s mean can pass it)</dt><dd>{(gold.RaterAgainstRater is { } ceiling ? new Html().Add($"<b>{Numbers.Full(ceiling)}</b>").ToMarkup() : new Markup("one rater: no ceiling is known"))}</dd></div>");
        html.Add($"</dl></div>");
    }

    private static string Name(ReportModel model, HalfChoice half) =>
        BoardViews.Of(model, half.Gold).FirstOrDefault(r => r.Feature == half.Feature)?.ShownName() ?? half.Feature;

    private static Markup Against(HalfChoice half) => half.Difference is { Mean: not null } difference
        ? new Html().Add($"<br>minus {half.BestControl}: {Numbers.Rho(difference.Mean, difference.Ci)} {Numbers.Range(difference.Ci)}").ToMarkup()
        : default;

    private static Markup Tally(VerdictWords words)
    {
        var html = new Html();
        if (words.Primary == 0) return html.ToMarkup();
        html.Add($"<ul class=\"tally\" aria-label=\"Verdicts on {Numbers.Count(words.Primary, "primary measure")}\">");
        Item("better", words.Better, "better than every control");
        Item("not", words.NotBetter, "not better");
        Item("undecided", words.Undecided, "undecided");
        return html.Add($"</ul>").ToMarkup();

        void Item(string mark, int count, string text)
        {
            html.Add($"<li class=\"t-{mark}\"><svg width=\"16\" height=\"16\" aria-hidden=\"true\">");
            Forest.DrawMark(html, mark, 50, 8);
            html.Add($"</svg><b>{count}</b> {text}<svg class=\"bar\" height=\"6\" aria-hidden=\"true\"><rect width=\"100%\" height=\"6\" rx=\"3\"/><rect class=\"fill\" width=\"{100.0 * count / words.Primary}%\" height=\"6\" rx=\"3\"/></svg></li>");
        }
    }

    /// <summary>
    /// What a percentile bootstrap of the mean of n normal values covers: it is as wide as a normal interval from the
    /// deviation with divisor n, where Student's t with n - 1 would be right (Efron and Tibshirani 1993, chapter 13).
    /// </summary>
    internal static double Coverage(int n, double level)
    {
        var half = Normal.InvCDF(0, 1, (1 + level) / 2) * Math.Sqrt((n - 1.0) / n);
        return 2 * StudentT.CDF(0, 1, n - 1, half) - 1;
    }

    private static Markup Reading(ReportModel model, GoldSummary gold)
    {
        var method = model.Board.Method;
        var widths = new VerdictWords(model, gold).HalfWidths;
        var html = new Html().Add($"<div class=\"note\"><h3>How to read this</h3><ul>");
        if (model.Board.Golds.Any(g => g.Heuristic))
            html.Add($"<li><b>The heuristic judge is no person.</b> It orders texts by simple signals of the text (words that other prompts\u2019 texts use, little repetition), so that a whole result can be shown. That is close to what some measures compute, so its numbers are no finding about what people like.</li>");
        html.Add($"<li><b>A measure may only be telling the temperature.</b> q = softmax(z/T) is a function of p and of T. A measure is called better only if it beats every control: the temperature, its best function learned from the other prompts, whether T is the highest, the length, and the share of samples outside the captured top {model.Run.CaptureK} (largest p of the paired sign-flip tests, Holm over the {Numbers.Count(method.PrimaryFamily)} measures of the declared family, p below {Numbers.Mark(1 - method.Level)}, and every interval of its difference above 0). Not better: the {Numbers.Mark(100 * method.Level)} % interval of its difference to some control ends below {Numbers.Rho(method.Margin)}.</li>");
        html.Add($"<li><b>Ties count.</b> With three texts a prompt and a gold without ties, knowing nothing but which text is the hottest reaches +0.87; a measure that guesses between the two others, +0.75. So <i>rho, ties broken at random</i> stands beside every rho.</li>");
        if (double.IsFinite(widths.Rho))
            html.Add($"<li><b>{Numbers.Count(gold.NRated, "rated prompt")}</b> {(gold.NRated == 1 ? "gives" : "give")} confidence sequences of about \u00B1{Numbers.Quantity(widths.Rho)} for a rho{(double.IsFinite(widths.Difference) ? $" and \u00B1{Numbers.Quantity(widths.Difference)} for a difference" : "")} (medians over the family). They hold however often one looks; the bootstrap intervals hold for one look.</li>");
        if (gold.NRated is > 1 and < FewPrompts)
            html.Add($"<li><b>{Numbers.Count(gold.NRated, "prompt")} are few for a bootstrap.</b> Of the mean of so many normal values its {Numbers.Mark(100 * method.Level)} % interval covers the truth about {(int)Math.Round(100 * Coverage(gold.NRated, method.Level))} times in a hundred, so \u201Cnot better\u201D comes too easily. Confidence sequences have no such fault.</li>");
        foreach (var control in model.Board.Controls.Where(c => c.Missing is not null))
            html.Add($"<li><b>{control.Name} is missing:</b> {control.Missing}.</li>");
        return html.Add($"</ul></div>").ToMarkup();
    }
}
