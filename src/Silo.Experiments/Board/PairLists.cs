using Silo.Core.Statistics;

namespace Silo.Experiments.Board;

/// <summary>The pairs of ranked texts behind a gold, listed once, for every column.</summary>
internal sealed class PairLists
{
    private readonly record struct Pair(int Prompt, int First, int Second, int Gold);

    private readonly GoldReading.RatedPrompt[] _rated;
    private readonly Pair[][] _byKindAndHalf;

    public PairLists(BoardDesign design, GoldReading.RatedPrompt[] rated)
    {
        _rated = rated;
        var lists = new List<Pair>[2 * PairKind.Count(design.Temperatures.Count)];
        for (var i = 0; i < lists.Length; i++) lists[i] = [];
        for (var p = 0; p < rated.Length; p++)
        {
            var (entry, row) = rated[p];
            for (var i = 1; i < row.Gold.Items.Length; i++)
            {
                for (var j = 0; j < i; j++)
                {
                    var pair = new Pair(p, i, j, Math.Sign(row.Gold.Merit[i] - row.Gold.Merit[j]));
                    lists[entry.Half].Add(pair);
                    var kind = entry.Texts!.PairKinds[row.Gold.Items[i], row.Gold.Items[j]];
                    if (kind > 0) lists[2 * kind + entry.Half].Add(pair);
                }
            }
        }
        _byKindAndHalf = [.. lists.Select(l => l.ToArray())];
    }

    /// <summary>Number of pairs of both halves.</summary>
    public int Count => _byKindAndHalf[0].Length + _byKindAndHalf[1].Length;

    /// <summary>
    /// A column's differences beside the gold's, for one half of the prompts, at the beginning of
    /// <paramref name="pairs"/>; prompts where a value is missing are left out.
    /// </summary>
    public Span<ItemPair> Of(int column, int sign, int kind, int half, Span<ItemPair> pairs)
    {
        var count = 0;
        foreach (var (prompt, first, second, gold) in _byKindAndHalf[2 * kind + half])
        {
            var (entry, row) = _rated[prompt];
            if (!row.HasValues[column]) continue;
            var values = entry.Texts!.Values(column);
            double a = values[row.Gold.Items[first]], b = values[row.Gold.Items[second]];
            pairs[count++] = new(a == b ? 0 : sign * (a - b), gold);
        }
        return pairs[..count];
    }

    /// <summary>Agreements of scores that are given prompt by prompt.</summary>
    public GoldSums.PairSums Sums(double[]?[] scores, int kind)
    {
        GoldSums.PairSums sums = default;
        foreach (var prompt in _byKindAndHalf[2 * kind].Concat(_byKindAndHalf[2 * kind + 1]).GroupBy(p => p.Prompt))
        {
            if (scores[prompt.Key] is not { } values) continue;
            long pairs = 0, agree = 0, goldTies = 0, ties = 0;
            foreach (var pair in prompt)
            {
                var said = values[pair.First].CompareTo(values[pair.Second]);
                pairs++;
                if (said == pair.Gold) agree++;
                if (pair.Gold == 0) goldTies++;
                if (said == 0) ties++;
            }
            sums = sums.Plus(GoldSums.PairSums.Of(pairs, agree, goldTies, ties));
        }
        return sums;
    }
}
