using Silo.Experiments.Measures;
using Silo.Reporting.Model;

namespace Silo.Reporting.Build;

/// <summary>Part 3: the mean of every full feature, and the measures of the text, by temperature.</summary>
internal static class Panels
{
    /// <summary>Most dots a temperature has; more are sampled evenly in the order of the keys.</summary>
    public const int MaxDots = 200;

    // What the paper is about comes first; the rest follows in the catalog's order.
    private static readonly string[] s_first =
    [
        "leak.mean", "entropy_p.mean", "entropy_q.mean", "kl_qp.mean", "js.mean", "tv.mean", "width_p_90.mean", "width_q_95.mean",
        "top1_p.mean", "outside_x.mean", "self_perplexity", "gzip_ratio",
    ];

    public static IReadOnlyList<TemperaturePanel> Build(ReportSource source)
    {
        var byTemperature = source.Generations.GroupBy(g => g.Key.Temperature).OrderBy(g => g.Key).ToList();
        if (byTemperature.Count == 0) return [];
        var measures = source.Catalog.Measures.Index().Where(m => IsShown(m.Item)).ToList();
        return
        [
            .. measures.OrderBy(m => Array.IndexOf(s_first, m.Item.Name) is >= 0 and var place ? place : s_first.Length + m.Index)
                .Select(m => new TemperaturePanel
                {
                    Measure = m.Item.Name,
                    Unit = m.Item.Unit,
                    Definition = m.Item.Definition,
                    Logarithmic = m.Item.Unit is "tokens" or "rank" or "perplexity",
                    Columns = [.. byTemperature.Select(g => Column(g.Key, g.Select(r => m.Index < r.Measures.Length ? r.Measures[m.Index] : double.NaN)))],
                }),
        ];
    }

    /// <summary>One panel a feature: the same thing under a second name (n95_q, retained, mean_entropy) would only repeat it.</summary>
    private static bool IsShown(Measure measure) => measure switch
    {
        { Captured: true } or { ReferenceTemperature: not null } => false,
        { Feature: Core.Features.TokenFeature.N95Q or Core.Features.TokenFeature.Retained } => false,
        { Feature: not null } => measure.Aggregate == Aggregate.Mean,
        _ => measure.Name is not ("mean_entropy" or "mean_margin"),
    };

    private static TemperatureColumn Column(double temperature, IEnumerable<double> all)
    {
        var values = all.ToArray();
        var defined = values.Where(double.IsFinite).Order().ToArray();
        var drawn = Math.Min(MaxDots, values.Length);
        return new TemperatureColumn
        {
            Temperature = temperature,
            Median = Quantile(defined, 0.5),
            P10 = Quantile(defined, 0.1),
            P90 = Quantile(defined, 0.9),
            N = defined.Length,
            Undefined = values.Length - defined.Length,
            Values = [.. Enumerable.Range(0, drawn).Select(i => values[(int)((long)i * values.Length / drawn)])],
        };
    }

    /// <summary>A quantile of sorted values; NaN of nothing.</summary>
    public static double Quantile(double[] sorted, double share) =>
        sorted.Length == 0 ? double.NaN : Core.Statistics.Percentile.OfSorted(sorted, 100 * share);
}
