using Silo.Experiments.Generation;
using Silo.Reporting.Model;
using Silo.Reporting.Page;
using Silo.Reporting.Texts;

namespace Silo.Reporting.Build;

/// <summary>Part 4: cumulative mass by rank, from replayed steps where there are any, else from the stored widths.</summary>
internal static class Masses
{
    public static MassCurves Build(ReportSource source)
    {
        // A greedy text has q = p and no place among the temperatures.
        var steps = source.Details.Where(d => d.Key.Temperature > 0 && d.Value.Count > 0).OrderBy(d => d.Key.Temperature).ToList();
        if (steps.Count > 0)
            return new MassCurves
            {
                FromSteps = true,
                Basis = $"Means at each rank over all steps of the {Numbers.Count(steps.Count, "text")} that part 8 shows, replayed through the model ({Numbers.Count(source.Generations.Count)} in all).",
                Curves = [.. steps.GroupBy(d => d.Key.Temperature).Select(g => FromSteps(g.Key, [.. g.SelectMany(d => d.Value)]))],
            };
        var texts = source.Generations.Where(g => g.Key.Temperature > 0).GroupBy(g => g.Key.Temperature).OrderBy(g => g.Key).ToList();
        return new MassCurves
        {
            FromSteps = false,
            Basis = texts.Count == 0
                ? "No text is finished yet."
                : "Steps were not replayed for this page, so the curves go through what the run keeps of every text: its mean widths at 50, 90, 95 and 99 % of the mass and its mean top probability (medians over texts).",
            Curves = [.. texts.Select(g => FromWidths(source, g.Key, [.. g]))],
        };
    }

    private static MassCurve FromSteps(double temperature, List<TokenDetail> steps)
    {
        var vocabulary = steps[0].VocabularySize;
        // One model has one vocabulary; a step of another would have other ranks.
        var same = steps.Where(s => s.VocabularySize == vocabulary).ToList();
        double[] ranks = [.. MassRanks.For(vocabulary).Select(r => (double)r)];
        double[] Mean(Func<TokenDetail, double[]> of) => [.. ranks.Index().Select(r => Numbers.Significant(same.Average(s => of(s)[r.Index]), 6))];
        return new MassCurve
        {
            Temperature = temperature,
            RanksP = ranks,
            MassP = Mean(s => s.MassP),
            RanksQ = ranks,
            MassQ = Mean(s => s.MassQ),
            TopSet = Panels.Quantile([.. same.Select(s => (double)s.TopSet).Order()], 0.5),
            Leak = same.Average(s => s.Leak),
            N = same.Count,
        };
    }

    private static MassCurve FromWidths(ReportSource source, double temperature, List<GenerationRecord> texts)
    {
        double Median(string measure)
        {
            var index = source.Catalog.IndexOf(measure);
            return index < 0 ? double.NaN : Panels.Quantile([.. texts.Where(t => index < t.Measures.Length).Select(t => t.Measures[index]).Where(double.IsFinite).Order()], 0.5);
        }
        (double[] Ranks, double[] Masses) Curve(string of)
        {
            var points = new List<(double Rank, double Mass)> { (1, Median($"top1_{of}.mean")) };
            foreach (var percent in new[] { 50, 90, 95, 99 })
                points.Add((Median(FormattableString.Invariant($"width_{of}_{percent}.mean")), percent / 100.0));
            points = [.. points.Where(p => double.IsFinite(p.Rank) && double.IsFinite(p.Mass)).OrderBy(p => p.Rank).ThenBy(p => p.Mass)];
            return ([.. points.Select(p => p.Rank)], [.. points.Select(p => p.Mass)]);
        }
        var (p, q) = (Curve("p"), Curve("q"));
        return new MassCurve
        {
            Temperature = temperature,
            RanksP = p.Ranks,
            MassP = p.Masses,
            RanksQ = q.Ranks,
            MassQ = q.Masses,
            TopSet = Median("width_p_90.mean"),
            Leak = Median("leak.mean"),
            N = texts.Count,
        };
    }
}
