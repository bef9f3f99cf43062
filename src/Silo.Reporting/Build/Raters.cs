using Silo.Core.Numerics;
using Silo.Core.Statistics;
using Silo.Experiments.Board;
using Silo.Experiments.Generation;
using Silo.Experiments.Ranking;
using Silo.Reporting.Model;
using RanksOfRater = Silo.Experiments.Ranking.RaterRow;
using RaterRow = Silo.Reporting.Model.RaterRow;

namespace Silo.Reporting.Build;

/// <summary>Part 7, and the ranks beside the texts: all that is said of raters comes from the ranks that stand.</summary>
internal sealed class Raters
{
    private const int Resamples = 2000;

    private readonly ReportSource _source;
    private readonly Dictionary<string, (IReadOnlyList<string> Items, IReadOnlyList<RanksOfRater> Rows)> _prompts = new(StringComparer.Ordinal);

    public Raters(ReportSource source)
    {
        _source = source;
        var items = source.Generations.ToLookup(g => g.Key.Prompt, g => g.Key.Item, StringComparer.Ordinal);
        foreach (var events in source.Ranks.GroupBy(r => r.Prompt, StringComparer.Ordinal).Where(g => items.Contains(g.Key)))
        {
            var ranks = new PromptRanks();
            foreach (var rank in events) ranks.Apply(rank);
            var names = items[events.Key].ToList();
            if (ranks.Rows(names) is { Count: > 0 } rows) _prompts[events.Key] = (names, rows);
        }
    }

    /// <summary>The rank that a gold gives a text, 1 = best, ties sharing their mean; NaN where it gives none.</summary>
    public double RankOf(GoldSummary gold, GenerationKey key)
    {
        if (!_prompts.TryGetValue(key.Prompt, out var prompt)) return double.NaN;
        var own = Golds.Of(prompt.Rows).FirstOrDefault(g => g.Name.ToString() == gold.Name);
        var place = own is null ? -1 : Array.FindIndex(own.Items, i => prompt.Items[i] == key.Item);
        // Merit is the centred mid-rank with its sign turned, -(2 r - (n + 1)).
        return place < 0 ? double.NaN : (own!.Items.Length + 1 - own.Merit[place]) / 2.0;
    }

    public RaterSection Build()
    {
        var panels = _prompts.Values.SelectMany(p => p.Rows).Select(r => r.Panel ?? "").Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var rows = new List<RaterRow>();
        var agreements = new List<Agreement>();
        foreach (var panel in panels)
        {
            var (names, prompts) = Matrices(r => (r.Panel ?? "") == panel);
            rows.AddRange(names.Index().Select(n => Rater(n.Item, panel, n.Index, prompts)));
            if (names.Count > 1) agreements.Add(Agree(panel.Length > 0 ? panel : "all raters", names.Count, prompts));
        }
        if (panels.Count > 1)
        {
            var (names, prompts) = Matrices(_ => true);
            agreements.Add(Agree("all panels together", names.Count, prompts));
        }
        return new RaterSection
        {
            Raters = rows,
            Agreements = agreements,
            PositionBias = "Ranks do not say in which place a rater saw each text, so position bias cannot be measured here. "
                + (_source.Board.Golds.Any(g => g.Heuristic) ? "The heuristic judge has none: it scores each text for itself." : "Show texts in an order drawn anew for every rater."),
        };
    }

    /// <summary>The ranks of some raters, prompt by prompt in the order of ids, with the same rows in every matrix.</summary>
    private (List<string> Names, List<RatingMatrix> Prompts) Matrices(Func<RanksOfRater, bool> counts)
    {
        var names = _prompts.Values.SelectMany(p => p.Rows).Where(counts).Select(r => r.Rater)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var prompts = new List<RatingMatrix>();
        foreach (var (_, (items, rows)) in _prompts.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            var chosen = rows.Where(counts).ToLookup(r => r.Rater, StringComparer.Ordinal);
            if (chosen.Count == 0) continue;
            prompts.Add(new RatingMatrix(names.Count, items.Count, [.. names.SelectMany(n => Enumerable.Range(0, items.Count)
                .Select(i => chosen[n].Select(r => r.Ranks[i]).FirstOrDefault(v => !double.IsNaN(v), double.NaN)))]));
        }
        return (names, prompts);
    }

    private RaterRow Rater(string name, string panel, int row, List<RatingMatrix> prompts)
    {
        var (rated, pairs, ties) = (0, 0, 0);
        foreach (var ranks in prompts.Where(p => !p.IsAbsent(row)).Select(p => p[row].ToArray().Where(r => !double.IsNaN(r)).ToArray()))
        {
            rated++;
            pairs += ranks.Length * (ranks.Length - 1) / 2;
            ties += ranks.GroupBy(r => r).Sum(g => g.Count() * (g.Count() - 1) / 2);
        }
        var rest = prompts[0].Raters < 2 ? null
            : Mean($"rest/{panel}/{name}", prompts.Where(p => !p.IsAbsent(row)).Select(p => RaterCorrelation.AgainstRest([p]).PerRater[row]));
        return new RaterRow(name, panel, rated, pairs, ties, rest);
    }

    private Agreement Agree(string group, int raters, List<RatingMatrix> prompts)
    {
        var w = KendallW.OverPrompts(prompts);
        return new Agreement(group, raters, prompts.Count, Krippendorff.Alpha(prompts, MeasurementLevel.Ordinal).Alpha ?? double.NaN,
            w.Mean ?? double.NaN, w.Defined, Mean($"pairs/{group}", prompts.Select(p => RaterCorrelation.Pairwise([p]).Mean)));
    }

    /// <summary>A mean over prompts with its bootstrap interval; the stream is named, so that the same ranks give the same interval.</summary>
    private Estimate Mean(string stream, IEnumerable<double?> perPrompt)
    {
        double[] values = [.. perPrompt.Select(v => v ?? double.NaN)];
        var defined = values.Count(double.IsFinite);
        return new Estimate(defined == 0 ? null : values.Where(double.IsFinite).Average(),
            Bootstrap.MeanOverPrompts(values, CounterRandom.Create(_source.Spec.Seed, "report/" + stream), Resamples), defined, values.Length - defined);
    }
}
