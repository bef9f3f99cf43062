using Silo.Core.Statistics;
using Silo.Experiments.Board;
using Silo.Experiments.Ranking;

namespace Silo.Experiments.Controls;

/// <summary>
/// <c>control.temperature_best</c>: for each prompt the weak order of the temperatures (ties allowed) that has the
/// highest mean within-prompt rho on all other prompts, and what it scores on this one.
/// </summary>
/// <remarks>
/// Candidates are the temperatures sorted by mean standardised merit, with each way of tying neighbours: among orders
/// with given ties and as many texts at each temperature, the sorted one has the highest sum of rhos (rearrangement inequality). Leaving a
/// prompt out seldom changes the sorted order, so the candidates are scored once for each sorted order that occurs.
/// An order whose rho is undefined on a prompt scores 0 there.
/// </remarks>
internal sealed class BestTemperatureOrder
{
    // With more temperatures, only the strict order and its cuts in two are candidates.
    private const int MaxTied = 8;

    private readonly IReadOnlyList<double> _temperatures;
    private readonly IReadOnlyList<Case> _cases;

    /// <summary>One prompt: for each ranked text the index of its temperature, and its merit.</summary>
    private sealed record Case(int[] Temperatures, int[] Merit);

    private BestTemperatureOrder(IReadOnlyList<double> temperatures, IReadOnlyList<Case> cases) =>
        (_temperatures, _cases) = (temperatures, cases);

    /// <summary>
    /// For each prompt the score of each of its ranked texts (larger = better): the level of its temperature in the
    /// order learned from the other prompts. Null where a temperature is not known or there is no other prompt.
    /// </summary>
    public static double[]?[] Learn(IReadOnlyList<(PromptTexts Texts, PromptGold Gold)> prompts)
    {
        var known = prompts.Select(p => Array.TrueForAll(p.Gold.Items, i => !double.IsNaN(p.Texts.Temperatures[i]))).ToArray();
        double[] temperatures = [.. prompts.Where((_, i) => known[i])
            .SelectMany(p => p.Gold.Items.Select(i => p.Texts.Temperatures[i])).Distinct().Order()];
        var cases = prompts.Where((_, i) => known[i])
            .Select(p => new Case([.. p.Gold.Items.Select(i => Array.BinarySearch(temperatures, p.Texts.Temperatures[i]))], p.Gold.Merit))
            .ToArray();
        var levels = new BestTemperatureOrder(temperatures, cases).Learn();
        var scores = new double[]?[prompts.Count];
        var next = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            if (!known[i]) continue;
            var own = cases[next];
            if (levels[next++] is { } level) scores[i] = [.. own.Temperatures.Select(t => (double)level[t])];
        }
        return scores;
    }

    private int[]?[] Learn()
    {
        var standard = _cases.Select(StandardisedMerit).ToArray();
        var totals = new double[_temperatures.Count];
        foreach (var merit in standard)
            for (var t = 0; t < totals.Length; t++) totals[t] += merit[t];
        var bySortedOrder = new Dictionary<string, Candidates>(StringComparer.Ordinal);
        var learned = new int[]?[_cases.Count];
        for (var i = 0; i < learned.Length && _cases.Count > 1; i++)
        {
            var rest = new double[totals.Length];
            // Rounding must not decide between equal temperatures.
            for (var t = 0; t < rest.Length; t++) rest[t] = Math.Round(totals[t] - standard[i][t], 9);
            int[] order = [.. Enumerable.Range(0, rest.Length).OrderBy(t => rest[t]).ThenByDescending(t => t)];
            var key = string.Join(' ', order);
            if (!bySortedOrder.TryGetValue(key, out var candidates)) bySortedOrder[key] = candidates = Score(order);
            learned[i] = candidates.BestWithout(i);
        }
        return learned;
    }

    // Mean merit of a prompt's texts at each temperature, in units in which every gold has the same spread.
    private double[] StandardisedMerit(Case prompt)
    {
        var sums = new double[_temperatures.Count];
        var counts = new int[_temperatures.Count];
        double square = 0;
        for (var i = 0; i < prompt.Merit.Length; i++)
        {
            sums[prompt.Temperatures[i]] += prompt.Merit[i];
            counts[prompt.Temperatures[i]]++;
            square += (double)prompt.Merit[i] * prompt.Merit[i];
        }
        for (var t = 0; t < sums.Length; t++) sums[t] = square == 0 || counts[t] == 0 ? 0 : sums[t] / counts[t] / Math.Sqrt(square);
        return sums;
    }

    private Candidates Score(int[] order)
    {
        var levels = Ties(order.Length).Select(ties => Levels(order, ties)).ToArray();
        var rho = new double[levels.Length][];
        for (var c = 0; c < levels.Length; c++)
        {
            rho[c] = new double[_cases.Count];
            for (var i = 0; i < _cases.Count; i++)
            {
                var prompt = _cases[i];
                double[] scores = [.. prompt.Temperatures.Select(t => (double)levels[c][t])];
                rho[c][i] = Spearman.Rho(scores, Array.ConvertAll(prompt.Merit, m => (double)m)) ?? 0;
            }
        }
        return new(levels, rho, [.. rho.Select(r => r.Sum())]);
    }

    // Bit b set: the b-th and the next temperature of the sorted order are tied. The strict order comes first.
    private static IEnumerable<ulong> Ties(int count)
    {
        var neighbours = count - 1;
        // Tying all temperatures would rank nothing.
        if (count <= MaxTied) return Enumerable.Range(0, Math.Max(1, (1 << Math.Max(0, neighbours)) - 1)).Select(i => (ulong)i);
        var all = (1UL << Math.Min(neighbours, 63)) - 1;
        return Enumerable.Range(0, Math.Min(neighbours, 63)).Select(cut => all & ~(1UL << cut)).Prepend(0UL);
    }

    private static int[] Levels(int[] order, ulong ties)
    {
        var levels = new int[order.Length];
        for (int at = 1, level = 0; at < order.Length; at++)
        {
            if (at > 64 || (ties >> (at - 1) & 1) == 0) level++;
            levels[order[at]] = level;
        }
        return levels;
    }

    private sealed record Candidates(int[][] Levels, double[][] Rho, double[] Totals)
    {
        public int[] BestWithout(int prompt)
        {
            var best = 0;
            for (var c = 1; c < Levels.Length; c++)
                if (Totals[c] - Rho[c][prompt] > Totals[best] - Rho[best][prompt] + 1e-9) best = c;
            return Levels[best];
        }
    }
}
