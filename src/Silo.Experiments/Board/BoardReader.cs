using Silo.Core.Numerics;
using Silo.Core.Statistics;
using Silo.Experiments.Controls;
using Silo.Experiments.Ranking;

namespace Silo.Experiments.Board;

/// <summary>From a board to its table. Nothing here depends on the order in which anything arrived.</summary>
internal static class BoardReader
{
    private const int DefaultRunning = 10;

    public static BoardTable Read(CorrelationBoard board, bool exploratory)
    {
        var design = board.Design;
        var prompts = board.Prompts;
        var readings = board.Sums.Golds.Select(g => new GoldReading(design, g.Key, g.Value, prompts, exploratory))
            .OrderBy(r => Order(NameOf(r))).ThenBy(r => r.Name, StringComparer.Ordinal).ToArray();
        var withTexts = prompts.Where(p => p.Texts is not null).ToArray();
        return new BoardTable
        {
            Prompts = board.Sums.Prompts,
            Texts = board.Sums.Texts,
            Temperatures = [.. withTexts.SelectMany(p => p.Texts!.Temperatures).Where(t => !double.IsNaN(t)).Distinct().Order()],
            UnmatchedRanks = prompts.Sum(Unmatched),
            UnrankedTexts = withTexts.Where(p => p.Ranks.Count > 0).Sum(p => p.Texts!.Items.Except(p.Ranks.RankedItems()).Count()),
            Method = new(design.Seed, design.Level, design.Margin, design.Resamples,
                readings.Any(r => r.Resamples.Poisson) ? "poisson" : "multinomial", design.Measures.Count(m => m.Primary), VerdictRule.Power),
            Golds = [.. readings.Select(r => Summary(board, r))],
            Controls = [.. Control.All.Select(c => new ControlSummary(c.Name, c.Title, c.Definition, Missing(c, withTexts, readings)))],
            Results = [.. readings.SelectMany(r => r.Results())],
            GoldPairs = [.. GoldPairs(design, readings)],
            BestByHalves = [.. readings.SelectMany(r => r.BestByHalves())],
            Running = [.. readings.SelectMany(r => RunningList(design).Select(r.Running)).OfType<RunningSeries>()],
        };
    }

    private static GoldName NameOf(GoldReading reading) => reading.Rated[0].Row.Gold.Name;

    // Panels before single raters, and the heuristic judge, which is no person, last of the panels.
    private static int Order(GoldName name) => name.Kind == GoldKind.Rater ? 2 : name.Panel == HeuristicJudge.Name ? 1 : 0;

    private static int Unmatched(PromptEntry prompt) => prompt.Texts is null ? prompt.Ranks.Count
        : prompt.Ranks.Count - prompt.Ranks.Rows(prompt.Texts.Items).Sum(r => r.Ranks.Count(v => !double.IsNaN(v)));

    private static string? Missing(Control control, PromptEntry[] prompts, GoldReading[] readings)
    {
        if (readings.Length > 0 ? readings.Any(r => r.UsableControls.Contains(control.Name)) : prompts.Length == 0) return null;
        var column = Control.Columns.Index().Where(c => c.Item == control).Select(c => (int?)c.Index).FirstOrDefault() ?? 0;
        return prompts.All(p => p.Texts!.Values(column).IndexOfAnyExcept(double.NaN) < 0) ? "not known" : "the same for all ranked texts of a prompt";
    }

    private static GoldSummary Summary(CorrelationBoard board, GoldReading reading)
    {
        var sums = board.Sums.Golds[reading.Name];
        var name = NameOf(reading);
        var rows = reading.Rated.Select(r => r.Entry.Ranks.Rows(r.Entry.Texts!.Items).Where(row => Behind(name, row)).ToArray()).ToArray();
        var matrices = rows.Select((r, i) => new RatingMatrix(r.Length, reading.Rated[i].Entry.Texts!.Count, [.. r.SelectMany(row => row.Ranks)])).ToArray();
        var raters = rows.SelectMany(r => r.Select(row => row.Rater)).Distinct(StringComparer.Ordinal).Count();
        return new GoldSummary
        {
            Name = reading.Name,
            Panel = name.Panel,
            Heuristic = name.Panel == HeuristicJudge.Name,
            NRated = sums.Rated,
            NUnrated = board.Sums.Prompts - sums.Rated,
            NTied = sums.Tied,
            NConstant = sums.Constant,
            NCycles = sums.Cycles,
            Raters = raters,
            RaterAgainstRater = raters < 2 ? null : Ceiling(reading.Resamples, [.. matrices.Select(m => RaterCorrelation.Pairwise([m])).Select(c => (c.Mean, c.Defined))]),
            RaterAgainstRest = raters < 2 ? null : Ceiling(reading.Resamples, [.. matrices.Select(m => RaterCorrelation.AgainstRest([m])).Select(c => (c.Mean, c.Defined))]),
        };
    }

    private static bool Behind(GoldName name, RaterRow row) =>
        name.Kind == GoldKind.Rater ? row.Rater == name.Rater : row.Panel == name.Panel;

    // Mean over all defined (prompt, pair of raters) values; a prompt with more raters counts more.
    private static Estimate Ceiling(Resamples resamples, (double? Mean, int Defined)[] prompts)
    {
        ExactSum sum = default;
        long count = 0;
        double[] totals = [.. prompts.Select(p => (p.Mean ?? 0) * p.Defined)], counts = [.. prompts.Select(p => (double)p.Defined)];
        foreach (var (mean, defined) in prompts)
        {
            count += defined;
            if (mean is { } value) sum = sum.Add(value * defined);
        }
        var known = prompts.Count(p => p.Defined > 0);
        return new(count == 0 ? null : sum.Sum / count, known < 2 ? null : resamples.OfRatio(resamples.Sums(totals), resamples.Sums(counts)),
            known, prompts.Length - known);
    }

    private static IEnumerable<GoldPair> GoldPairs(BoardDesign design, GoldReading[] readings)
    {
        for (var b = 1; b < readings.Length; b++)
        {
            for (var a = 0; a < b; a++)
            {
                var others = readings[b].Rated.ToDictionary(r => r.Entry.Prompt, r => r.Row.Gold, StringComparer.Ordinal);
                double[] rhos = [.. readings[a].Rated.Where(r => others.ContainsKey(r.Entry.Prompt))
                    .Select(r => Rho(r.Row.Gold, others[r.Entry.Prompt]) ?? double.NaN)];
                if (rhos.Length == 0) continue;
                ExactSum sum = default;
                foreach (var rho in rhos)
                    if (!double.IsNaN(rho)) sum = sum.Add(rho);
                var (first, second) = (readings[a].Name, readings[b].Name);
                var ci = Bootstrap.MeanOverPrompts(rhos, CounterRandom.Create(design.Seed, $"board/golds/{first}/{second}"), design.Resamples, design.Level);
                yield return new(first, second, new(sum.Mean, ci, (int)sum.Count, rhos.Length - (int)sum.Count));
            }
        }
    }

    private static double? Rho(PromptGold a, PromptGold b)
    {
        var common = a.Items.Intersect(b.Items).ToArray();
        return Spearman.Rho(Merits(a, common), Merits(b, common));

        static double[] Merits(PromptGold gold, int[] items) => [.. items.Select(i => (double)gold.Merit[Array.IndexOf(gold.Items, i)])];
    }

    // Controls, the paper's headline measures and baselines, then the first of the primary family.
    private static IEnumerable<string> RunningList(BoardDesign design) => design.Running.Count > 0 ? design.Running
        : new[] { Control.Temperature.Name, Control.Length.Name, "leak.mean", "captured.width_q_95.mean" }
            .Concat(design.Measures.Where(m => m.Baseline).Select(m => m.Name))
            .Concat(design.Measures.Where(m => m.Primary).Select(m => m.Name))
            .Distinct(StringComparer.Ordinal).Where(n => n.StartsWith("control.", StringComparison.Ordinal) || design.Measures.Any(m => m.Name == n))
            .Take(DefaultRunning);
}
