using Silo.Core.Numerics;
using Silo.Core.Statistics;
using Silo.Experiments.Generation;
using Silo.Experiments.Ranking;
using Silo.Local.Boards;
using Silo.Storage.Runs;

namespace Silo.Local.Comparison;

/// <summary>Compares two stored runs, prompt by prompt.</summary>
public static class RunComparer
{
    /// <summary>Compares on the prompts and temperatures that both runs have.</summary>
    public static RunComparison Compare(RunReader a, RunReader b)
    {
        string[] measures = [.. Primaries(a).Intersect(Primaries(b), StringComparer.Ordinal)];
        double[] temperatures = [.. a.Spec.Temperatures.Intersect(b.Spec.Temperatures).Order()];
        var (ranksA, ranksB) = (RanksOf(a), RanksOf(b));
        var means = measures.ToDictionary(m => m, _ => new List<(double A, double B)>(), StringComparer.Ordinal);
        var rhos = new SortedDictionary<(string Gold, string Measure), List<(double A, double B)>>();
        var prompts = 0;
        for (var number = 0; number < a.Plan.Prompts; number++)
        {
            var prompt = a.Spec.Prompts[number];
            var other = b.Plan.PromptIndex(prompt.Id);
            if (other < 0 || b.Spec.Prompts[other].Text != prompt.Text) continue;
            var (textsA, textsB) = (Texts(a, number, measures, temperatures), Texts(b, other, measures, temperatures));
            if (textsA.Length == 0 || textsB.Length == 0) continue;
            prompts++;
            for (var m = 0; m < measures.Length; m++) means[measures[m]].Add((Mean(textsA, m), Mean(textsB, m)));
            var (goldsA, goldsB) = (GoldsOf(ranksA, prompt.Id, textsA), GoldsOf(ranksB, prompt.Id, textsB));
            foreach (var gold in goldsA.Keys.Intersect(goldsB.Keys, StringComparer.Ordinal))
                for (var m = 0; m < measures.Length; m++)
                {
                    if (!rhos.TryGetValue((gold, measures[m]), out var pairs)) rhos[(gold, measures[m])] = pairs = [];
                    pairs.Add((Rho(textsA, m, goldsA[gold]), Rho(textsB, m, goldsB[gold])));
                }
        }
        var seed = a.Spec.Seed;
        return new RunComparison
        {
            A = Side(a),
            B = Side(b),
            SpecDifferences = a.Identity().DifferencesTo(b.Identity()),
            Prompts = prompts,
            Temperatures = temperatures,
            Measures = [.. measures.Select(m => Pair(m, null, means[m], seed))],
            Correlations = [.. rhos.Select(r => Pair(r.Key.Measure, r.Key.Gold, r.Value, seed))],
        };
    }

    private static IEnumerable<string> Primaries(RunReader run) =>
        RunBoard.Create(run.Spec, run.Info().ReferenceTemperatures).Catalog.Measures.Where(m => m.Primary).Select(m => m.Name);

    private static GenerationRecord[] Texts(RunReader run, int prompt, string[] measures, double[] temperatures) =>
        [.. run.RecordsOf(prompt, measures).Where(r => temperatures.Length == 0 || temperatures.Contains(r.Key.Temperature))];

    private static Dictionary<string, PromptRanks> RanksOf(RunReader run)
    {
        var ranks = new Dictionary<string, PromptRanks>(StringComparer.Ordinal);
        foreach (var rank in run.Ranks())
        {
            if (!ranks.TryGetValue(rank.Prompt, out var prompt)) ranks[rank.Prompt] = prompt = new PromptRanks();
            prompt.Apply(Stored.Event(rank));
        }
        return ranks;
    }

    private static Dictionary<string, PromptGold> GoldsOf(Dictionary<string, PromptRanks> ranks, string prompt, GenerationRecord[] texts) =>
        ranks.TryGetValue(prompt, out var ofPrompt)
            ? Golds.Of(ofPrompt.Rows([.. texts.Select(t => t.Key.Item)])).ToDictionary(g => g.Name.ToString(), StringComparer.Ordinal)
            : [];

    private static double Mean(GenerationRecord[] texts, int measure) => texts.Average(t => t.Measures[measure]);

    private static double Rho(GenerationRecord[] texts, int measure, PromptGold gold)
    {
        double[] values = [.. gold.Items.Select(i => texts[i].Measures[measure])];
        if (values.Any(double.IsNaN)) return double.NaN;
        return Spearman.Rho(values, [.. gold.Merit.Select(m => (double)m)]) ?? double.NaN;
    }

    private static PairedMeasure Pair(string measure, string? gold, List<(double A, double B)> pairs, ulong seed)
    {
        var defined = pairs.Where(p => !double.IsNaN(p.A) && !double.IsNaN(p.B)).ToArray();
        if (defined.Length == 0) return new PairedMeasure(measure, gold, 0, pairs.Count, null, null, null, null, null);
        double[] differences = [.. defined.Select(p => p.B - p.A)];
        var random = CounterRandom.Create(seed, $"compare/{gold}/{measure}");
        var interval = Bootstrap.MeanOverPrompts(differences, random);
        return new PairedMeasure(measure, gold, defined.Length, pairs.Count - defined.Length,
            defined.Average(p => p.A), defined.Average(p => p.B), differences.Average(),
            interval is { } i ? [i.Lower, i.Upper] : null, SignFlip.Test(differences, random.Derive(1))?.PTwoSided);
    }

    private static ComparedRun Side(RunReader run)
    {
        var info = run.Info();
        return new ComparedRun(run.Directory.Path, run.Spec.Name, info.Kept, info.Digest, info.Engines);
    }
}
