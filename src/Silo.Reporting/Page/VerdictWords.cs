using Silo.Core.Statistics;
using Silo.Experiments.Board;
using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>The verdict of one gold in sentences and counts.</summary>
internal sealed class VerdictWords
{
    private readonly GoldSummary _gold;
    private readonly ReportModel _model;
    private readonly IReadOnlyList<MeasureResult> _primary;

    public VerdictWords(ReportModel model, GoldSummary gold)
    {
        (_model, _gold) = (model, gold);
        _primary = [.. BoardViews.Of(model, gold.Name).Where(r => r.Primary)];
        Better = Count(Verdict.Better);
        NotBetter = Count(Verdict.NotBetter);
        Undecided = Count(Verdict.Undecided);
    }

    public int Primary => _primary.Count;

    public int Better { get; }

    public int NotBetter { get; }

    public int Undecided { get; }

    /// <summary>The one sentence.</summary>
    public string Sentence =>
        $"Of {Numbers.Count(Primary, "primary measure")}, {Better} {(Better == 1 ? "ranks" : "rank")} these texts better than knowing the temperature alone, or the length alone.";

    /// <summary>What stands between the reader and a decision.</summary>
    public string Rest
    {
        get
        {
            var text = $"{Numbers.Count(NotBetter)} {Are(NotBetter)} not better, {Numbers.Count(Undecided)} {Are(Undecided)} undecided.";
            var next = _primary.Where(r => r.Verdict == Verdict.Undecided && r.PromptsNeeded > _gold.NRated)
                .OrderByDescending(r => r.RhoWithin * r.Sign()).FirstOrDefault();
            return next is null
                ? text
                : text + $" Deciding on {next.Feature}, the strongest of the undecided, would take about {Numbers.Count(next.PromptsNeeded!.Value - _gold.NRated)} more prompts, if the differences stay as they are.";
        }
    }

    /// <summary>The median half-width of the confidence sequences of rho, and of the differences to the controls.</summary>
    public (double Rho, double Difference) HalfWidths => (
        Median(_primary.Where(r => r.Cs is not null).Select(r => HalfWidth(r.Cs!.Value))),
        Median(_primary.SelectMany(r => r.Differences).Where(d => d.Kind == MeasureKind.Control && d.Cs is not null)
            .Select(d => HalfWidth(d.Cs!.Value))));

    /// <summary>The primary measure with the largest rho in its declared direction.</summary>
    public MeasureResult? Strongest => _primary.Where(r => r.RhoWithin is not null).MaxBy(r => r.RhoWithin * r.Sign());

    /// <summary>The strongest control.</summary>
    public MeasureResult? StrongestControl =>
        BoardViews.Controls(_model, _gold.Name).Where(c => c.RhoWithin is not null).MaxBy(c => Math.Abs(c.RhoWithin!.Value));

    private static double HalfWidth(Interval interval) => (interval.Upper - interval.Lower) / 2;

    private static string Are(int n) => n == 1 ? "is" : "are";

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Where(double.IsFinite).Order().ToList();
        return sorted.Count == 0 ? double.NaN : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    private int Count(Verdict verdict) => _primary.Count(r => r.Verdict == verdict);
}
