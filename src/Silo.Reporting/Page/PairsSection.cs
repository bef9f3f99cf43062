using Silo.Experiments.Board;
using Silo.Reporting.Charts;
using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>Part 5: how often a measure says the same as the gold of the texts at two temperatures.</summary>
internal static class PairsSection
{
    private const int ShownPairs = 3;

    public static Markup Write(ReportModel model)
    {
        var html = new Html().Add(HeaderSection.Open("pairs"));
        var golds = BoardViews.Golds(model);
        var pairs = Pairs(model);
        if (golds.Count == 0 || pairs.Count == 0)
            return html.Add($"<p>{(golds.Count == 0 ? "Nothing is ranked yet." : "There is one temperature only, so there is no pair to tell apart.")}</p></section>").ToMarkup();
        html.Add($"<p>The hottest text is easily told from the rest; the test is between neighbours. The paper reports that means over tokens do not separate 0.8 from 0.3 (arXiv 2606.01451, abstract). For each measure, in its declared direction: of how many pairs of texts it says what the gold says, which is better or that both are equal. The line marks the coin\u2019s 50 %.</p>");
        html.Add(Switch.Of("pair", "Temperatures", [.. pairs.Select(p => new Choice(Key(p), Title(p)))]));
        foreach (var (gold, i) in golds.Select((g, i) => (g, i)))
            foreach (var (pair, j) in pairs.Select((p, j) => (p, j)))
                WritePair(html, model, gold, i, pair, i == 0 && j == 0);
        return html.Add($"</section>").ToMarkup();
    }

    /// <summary>The pairs that are drawn: neighbours first, then the widest; all are in the tables.</summary>
    private static List<(double Low, double High)> Pairs(ReportModel model)
    {
        var t = model.Board.Temperatures;
        var pairs = t.Zip(t.Skip(1)).Take(ShownPairs - 1).ToList();
        if (t.Count > 2) pairs.Add((t[0], t[^1]));
        return pairs;
    }

    private static string Key((double Low, double High) pair) => $"{Numbers.Temperature(pair.Low)}-{Numbers.Temperature(pair.High)}".Replace('.', '_');

    private static string Title((double Low, double High) pair) => $"{Numbers.Temperature(pair.Low)} against {Numbers.Temperature(pair.High)}";

    private static void WritePair(Html html, ReportModel model, GoldSummary gold, int index, (double Low, double High) pair, bool shown)
    {
        var rows = BoardViews.Of(model, gold.Name)
            .Where(r => r.Primary || r.Kind != MeasureKind.Measure)
            .Select(r => (Result: r, Accuracy: r.PairAccuracy.FirstOrDefault(a => a.Low == pair.Low && a.High == pair.High)))
            .Where(r => r.Accuracy is { NPairs: > 0 })
            .OrderBy(r => r.Result.Kind == MeasureKind.Control ? 0 : 1).ThenByDescending(r => r.Accuracy!.Accuracy)
            .ThenBy(r => r.Result.Feature, StringComparer.Ordinal).ToList();
        html.Add($"<figure class=\"{Switch.View(shown)}\" data-gold=\"{index}\" data-pair=\"{Key(pair)}\"><figcaption><b>T = {Title(pair)}</b> \u2014 {GoldWords.Caption(gold)}. Thick bar: 95 % interval (Wilson, at the effective number of pairs). Filled: the interval lies above 50 %; hollow: below it; ring: it includes 50 %; triangle: a control. Unit: share of pairs.</figcaption>");
        if (rows.Count == 0)
        {
            html.Add($"<p>No pair of these temperatures is ranked.</p></figure>");
            return;
        }
        string Id(int i) => $"p{index}-{Key(pair)}-{i}";
        html.Add(Forest.Draw($"Accuracy, T = {Title(pair)}, {gold.Name}", Axis.Share(), [.. rows.Select((r, i) => new ForestRow
        {
            Name = r.Result.ShownName(),
            Row = Id(i),
            Estimate = new Estimate(r.Accuracy!.Accuracy, r.Accuracy.Ci, r.Accuracy.NPairs, 0),
            Mark = r.Result.Kind == MeasureKind.Control ? "control" : Mark(r.Accuracy),
            Words = Words(r.Accuracy),
            Value = Numbers.Percent(r.Accuracy.Accuracy),
        })], [], 0.5));
        var table = new TableMarkup($"These numbers as a table: {Title(pair)}", "measure", "accuracy", "95 % interval", "pairs", "ties of the gold",
            "ties of the measure", "accuracy, ties calibrated", "against the coin");
        foreach (var ((r, a), i) in rows.Select((r, i) => (r, i)))
            table.Row(Id(i), r.ShownName(), Cell.Of(Numbers.Percent(a!.Accuracy)), Cell.Of(Numbers.PercentRange(a.Ci)), Cell.Of(Numbers.Count(a.NPairs)),
                Cell.Of(Numbers.Count(a.GoldTies)), Cell.Of(Numbers.Count(a.FeatureTies)), Cell.Of(Numbers.Percent(a.AccuracyTieCalibrated)), Words(a));
        html.Add(table.Toggle("pairs")).Add($"</figure>");
    }

    private static string Mark(PairAccuracy accuracy) => accuracy.Ci switch
    {
        { Lower: > 0.5 } => "better",
        { Upper: < 0.5 } => "not",
        _ => "undecided",
    };

    private static string Words(PairAccuracy accuracy) => Mark(accuracy) switch
    {
        "better" => "interval above 50 %",
        "not" => "interval below 50 %",
        _ => "interval includes 50 %",
    };
}
