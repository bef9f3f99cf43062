using Silo.Core.Statistics;
using Silo.Reporting.Model;

namespace Silo.Reporting.Tables;

/// <summary>
/// The numbers of the page as files, for every gold and measure and unrounded. Coefficients are those of <c>--json</c>:
/// positive when larger values of the measure go with better ranks, whichever direction was declared; differences and
/// accuracies are in the declared direction.
/// </summary>
public static class CsvTables
{
    /// <summary>All tables of a report, each to be written as <c>tables/NAME.csv</c> beside it.</summary>
    public static IReadOnlyList<CsvTable> All(ReportModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return
        [
            Measures(model), Differences(model), Pairs(model), Temperature(model), Mass(model), Running(model),
            Raters(model), Agreements(model), Golds(model), GoldPairs(model),
        ];
    }

    private static CsvTable Measures(ReportModel model)
    {
        var declared = model.Measures.ToDictionary(m => m.Name, StringComparer.Ordinal);
        var table = new CsvTable("measures", "gold", "measure", "kind", "primary", "direction", "verdict", "reason", "rho_within", "rho_untied",
            "ci_low", "ci_high", "cs_low", "cs_high", "n_cs", "n_defined", "n_undefined", "n_unrated", "tau_within", "pooled_rho",
            "within_temperature", "within_temperature_ci_low", "within_temperature_ci_high", "within_temperature_n",
            "p", "p_holm", "prompts_needed", "unit", "definition", "source");
        foreach (var r in model.Board.Results)
        {
            var m = declared.GetValueOrDefault(r.Feature);
            table.Row(r.Gold, r.Feature, Snake(r.Kind), r.Primary, r.Direction, r.Verdict is { } v ? Snake(v) : null, r.Reason,
                r.RhoWithin, r.RhoUntied, Low(r.Ci), High(r.Ci), Low(r.Cs), High(r.Cs), r.NCs, r.NDefined, r.NUndefined, r.NUnrated, r.TauWithin, r.PooledRho,
                r.WithinTemperature?.Mean, Low(r.WithinTemperature?.Ci), High(r.WithinTemperature?.Ci), r.WithinTemperature?.NDefined,
                r.P, r.PHolm, r.PromptsNeeded, m?.Unit, m?.Definition ?? r.Title, m?.Source);
        }
        return table;
    }

    private static CsvTable Differences(ReportModel model)
    {
        var table = new CsvTable("differences", "gold", "measure", "minus", "kind", "difference", "ci_low", "ci_high", "p", "n",
            "cs_low", "cs_high", "difference_undefined_as_0", "ci_low_undefined_as_0", "ci_high_undefined_as_0", "p_undefined_as_0", "n_undefined_as_0");
        foreach (var r in model.Board.Results)
            foreach (var d in r.Differences)
                table.Row(r.Gold, r.Feature, d.To, Snake(d.Kind), d.Defined.Mean, Low(d.Defined.Ci), High(d.Defined.Ci), d.Defined.P, d.Defined.N, Low(d.Cs), High(d.Cs),
                    d.UndefinedAsZero.Mean, Low(d.UndefinedAsZero.Ci), High(d.UndefinedAsZero.Ci), d.UndefinedAsZero.P, d.UndefinedAsZero.N);
        return table;
    }

    private static CsvTable Pairs(ReportModel model)
    {
        var table = new CsvTable("pairs", "gold", "measure", "temperature_low", "temperature_high", "pairs", "gold_ties", "measure_ties",
            "accuracy", "ci_low", "ci_high", "accuracy_tie_calibrated");
        foreach (var r in model.Board.Results)
            foreach (var a in r.PairAccuracy)
                table.Row(r.Gold, r.Feature, a.Low, a.High, a.NPairs, a.GoldTies, a.FeatureTies, a.Accuracy, Low(a.Ci), High(a.Ci), a.AccuracyTieCalibrated);
        return table;
    }

    private static CsvTable Temperature(ReportModel model)
    {
        var table = new CsvTable("temperature", "measure", "temperature", "median", "p10", "p90", "n", "undefined", "unit");
        foreach (var panel in model.Panels)
            foreach (var c in panel.Columns)
                table.Row(panel.Measure, c.Temperature, c.Median, c.P10, c.P90, c.N, c.Undefined, panel.Unit);
        return table;
    }

    private static CsvTable Mass(ReportModel model)
    {
        var table = new CsvTable("mass", "temperature", "distribution", "rank", "cumulative_mass", "n", "counted", "mean_leak", "median_top_90_set");
        foreach (var c in model.Mass.Curves)
            foreach (var (name, ranks, masses) in new[] { ("p", c.RanksP, c.MassP), ("q", c.RanksQ, c.MassQ) })
                foreach (var (rank, mass) in ranks.Zip(masses))
                    table.Row(c.Temperature, name, rank, mass, c.N, model.Mass.FromSteps ? "steps" : "texts", c.Leak, c.TopSet);
        return table;
    }

    private static CsvTable Running(ReportModel model)
    {
        var table = new CsvTable("running", "gold", "measure", "prompts", "rho", "cs_low", "cs_high", "corrected");
        foreach (var s in model.Board.Running)
            foreach (var p in s.Points)
                table.Row(s.Gold, s.Feature, p.N, p.Rho, p.Cs.Lower, p.Cs.Upper, s.Corrected.Contains(p.N));
        return table;
    }

    private static CsvTable Raters(ReportModel model)
    {
        var table = new CsvTable("raters", "rater", "panel", "prompts", "pairs", "ties", "rho_rest", "ci_low", "ci_high", "n_defined", "n_undefined");
        foreach (var r in model.Raters.Raters)
            table.Row(r.Name, r.Panel, r.Prompts, r.Pairs, r.Ties, r.AgainstRest?.Mean, Low(r.AgainstRest?.Ci), High(r.AgainstRest?.Ci),
                r.AgainstRest?.NDefined, r.AgainstRest?.NUndefined);
        return table;
    }

    private static CsvTable Agreements(ReportModel model)
    {
        var table = new CsvTable("agreement", "group", "raters", "prompts", "krippendorff_alpha_ordinal", "kendall_w_mean", "kendall_w_n_defined",
            "mean_pairwise_rho_by_prompt_first", "ci_low", "ci_high", "n_defined", "n_undefined");
        foreach (var a in model.Raters.Agreements)
            table.Row(a.Group, a.Raters, a.Prompts, a.Alpha, a.KendallW, a.KendallWPrompts, a.PairwiseRho.Mean, Low(a.PairwiseRho.Ci), High(a.PairwiseRho.Ci),
                a.PairwiseRho.NDefined, a.PairwiseRho.NUndefined);
        return table;
    }

    private static CsvTable Golds(ReportModel model)
    {
        var table = new CsvTable("golds", "gold", "panel", "heuristic", "n_rated", "n_unrated", "n_tied", "n_constant", "n_cycles", "raters",
            "rater_against_rater", "ci_low", "ci_high", "rater_against_rest", "rest_ci_low", "rest_ci_high");
        foreach (var g in model.Board.Golds)
            table.Row(g.Name, g.Panel, g.Heuristic, g.NRated, g.NUnrated, g.NTied, g.NConstant, g.NCycles, g.Raters,
                g.RaterAgainstRater?.Mean, Low(g.RaterAgainstRater?.Ci), High(g.RaterAgainstRater?.Ci),
                g.RaterAgainstRest?.Mean, Low(g.RaterAgainstRest?.Ci), High(g.RaterAgainstRest?.Ci));
        return table;
    }

    private static CsvTable GoldPairs(ReportModel model)
    {
        var table = new CsvTable("gold_pairs", "gold", "against", "rho", "ci_low", "ci_high", "n_defined", "n_undefined");
        foreach (var p in model.Board.GoldPairs)
            table.Row(p.A, p.B, p.Rho.Mean, Low(p.Rho.Ci), High(p.Rho.Ci), p.Rho.NDefined, p.Rho.NUndefined);
        return table;
    }

    private static double? Low(Interval? interval) => interval?.Lower;

    private static double? High(Interval? interval) => interval?.Upper;

    /// <summary>An enum member as the JSON has it: <c>not_better</c>.</summary>
    private static string Snake<TEnum>(TEnum member) where TEnum : struct, Enum =>
        System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(member.ToString());
}
