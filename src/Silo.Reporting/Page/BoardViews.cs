using Silo.Core.Statistics;
using Silo.Experiments.Board;
using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>A choice of measures that the forest plot can show.</summary>
/// <param name="Key">Short name for markup.</param>
/// <param name="Title">Its name on the switch.</param>
/// <param name="Note">What a reader must know of it.</param>
/// <param name="Results">The measures, the strongest in their declared direction first.</param>
internal sealed record BoardView(string Key, string Title, string Note, IReadOnlyList<MeasureResult> Results)
{
    /// <summary>Key of the view that shows the declared family.</summary>
    public const string Family = "family";

    /// <summary>Whether it shows the declared family.</summary>
    public bool IsFamily => Key == Family;
}

/// <summary>How the page reads the board's table: which golds and measures are shown, and with which sign.</summary>
internal static class BoardViews
{
    /// <summary>Golds that get plots of their own; the rest are in the tables beside the page.</summary>
    public const int ShownGolds = 4;

    /// <summary>
    /// On the page a measure that was declared "lower is better" is shown negated, with a minus before its name, so that
    /// right always means "as declared" and every coefficient is positive when larger values of what is shown go with
    /// better ranks. A control was declared neither way and is taken the way that serves it.
    /// </summary>
    public static int Sign(this MeasureResult result) => result.Direction switch
    {
        "lower" => -1,
        "either" => result.RhoWithin < 0 ? -1 : 1,
        _ => 1,
    };

    /// <summary>The name with the sign that it is shown with.</summary>
    public static string ShownName(this MeasureResult result) => (result.Sign() < 0 ? "\u2212" : "") + result.Feature;

    /// <summary>An interval in the direction that is shown.</summary>
    public static Interval? Shown(this Interval? interval, int sign) =>
        interval is { } i && sign < 0 ? new Interval(-i.Upper, -i.Lower) : interval;

    /// <summary>Rho with its interval in the direction that is shown.</summary>
    public static Estimate Shown(this MeasureResult result) => new(
        result.RhoWithin * result.Sign(), result.Ci.Shown(result.Sign()), result.NDefined, result.NUndefined);

    /// <summary>The golds with plots: those that say something of their own, in the board's order.</summary>
    public static IReadOnlyList<GoldSummary> Golds(ReportModel model)
    {
        var lone = model.Board.Golds.Where(g => g.Raters == 1 && !g.Name.StartsWith("rater:", StringComparison.Ordinal))
            .Select(g => g.Panel).ToHashSet();
        // Where a panel has one rater, that rater's own gold only repeats the panel's.
        return [.. model.Board.Golds
            .Where(g => !(g.Name.StartsWith("rater:", StringComparison.Ordinal) && lone.Contains(g.Panel))).Take(ShownGolds)];
    }

    /// <summary>The lines of one gold.</summary>
    public static IEnumerable<MeasureResult> Of(ReportModel model, string gold) => model.Board.Results.Where(r => r.Gold == gold);

    /// <summary>The controls of one gold.</summary>
    public static IReadOnlyList<MeasureResult> Controls(ReportModel model, string gold) =>
        [.. Of(model, gold).Where(r => r.Kind == MeasureKind.Control)];

    /// <summary>The views of one gold: the declared family, then full and captured rows as measured and at each reference temperature.</summary>
    public static IReadOnlyList<BoardView> Views(ReportModel model, string gold)
    {
        var declared = model.Measures.ToDictionary(m => m.Name, StringComparer.Ordinal);
        var results = Of(model, gold).Where(r => r.Kind != MeasureKind.Control).ToList();
        var views = new List<BoardView>
        {
            new(BoardView.Family, "declared family", "The primary measures: declared before ranks were seen, each with a verdict.",
                Sorted(results.Where(r => r.Primary || r.Kind == MeasureKind.Baseline))),
        };
        foreach (var captured in new[] { false, true })
        {
            var rows = captured ? $"captured top {model.Run.CaptureK}" : "full row";
            Add($"{(captured ? "captured" : "full")}", $"{rows}, as measured",
                $"The mean of every token feature over the {rows}, at each text's own temperature.", captured, null);
            foreach (var t in model.Run.ReferenceTemperatures)
                Add($"{(captured ? "captured" : "full")}-at-{Numbers.Temperature(t).Replace('.', '_')}", $"{rows}, all at T = {Numbers.Temperature(t)}",
                    $"Twins: q is computed at T = {Numbers.Temperature(t)} for every text. They are blind to the temperature in the formula only: the text before each token was still sampled at its own T.",
                    captured, t);
        }
        return views;

        void Add(string key, string title, string note, bool captured, double? reference)
        {
            // Features that do not depend on T are their own twins.
            var chosen = results.Where(r => declared.TryGetValue(r.Feature, out var m)
                && m is { Aggregate: Experiments.Measures.Aggregate.Mean, Feature: { } feature } && m.Captured == captured
                && (m.ReferenceTemperature == reference
                    || (m.ReferenceTemperature is null && !Core.Features.TokenFeatures.DependsOnTemperature(feature)))).ToList();
            if (chosen.Count > 0) views.Add(new BoardView(key, title, note, Sorted(chosen)));
        }
    }

    private static List<MeasureResult> Sorted(IEnumerable<MeasureResult> results) =>
        [.. results.OrderByDescending(r => r.RhoWithin * r.Sign() ?? double.NegativeInfinity).ThenBy(r => r.Feature, StringComparer.Ordinal)];
}
