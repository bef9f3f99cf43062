using Silo.Core.Statistics;

namespace Silo.Experiments.Board;

/// <summary>
/// The order in which a gold's prompts enter its confidence sequences. All planned prompts stand in an order drawn
/// from the seed; a prompt is used when it is complete (it has texts and this gold) and every prompt before it is
/// complete or closed without this gold. So the prompts used are never chosen by how they came out: one that nobody
/// has rated yet is waited for, one that is closed unrated is passed over, which is sound as long as being left
/// unrated does not depend on the ranks it would have had. Where a used prompt's rho is undefined for a measure, that
/// measure's sequence goes on without it, as its mean does.
/// </summary>
/// <param name="Rows">Indices of the used prompts among the gold's rated prompts, in the order of use.</param>
/// <param name="WaitingFor">The prompt that is waited for, or null.</param>
internal sealed record PromptSequence(int[] Rows, string? WaitingFor)
{
    public static PromptSequence Of(IEnumerable<PromptEntry> prompts, IReadOnlyDictionary<string, int> ratedIndex)
    {
        var rows = new List<int>();
        foreach (var entry in prompts.OrderBy(p => p.Place).ThenBy(p => p.Prompt, StringComparer.Ordinal))
        {
            if (ratedIndex.TryGetValue(entry.Prompt, out var index)) rows.Add(index);
            else if (!entry.Closed) return new([.. rows], entry.Prompt);
        }
        return new([.. rows], null);
    }

    /// <summary>The confidence sequence of a column's values in this order, and how many it has used.</summary>
    public (Interval? Cs, int Count) Run(Func<int, double> valueOfRow, double alpha, double range, Action<ConfidenceSequence, int>? step = null)
    {
        var sequence = new ConfidenceSequence(alpha, range: range);
        for (var i = 0; i < Rows.Length; i++)
        {
            var value = valueOfRow(Rows[i]);
            if (double.IsNaN(value)) continue;
            sequence.Add(value);
            step?.Invoke(sequence, i);
        }
        return (sequence.Count == 0 ? null : Shown(sequence), sequence.Count);
    }

    /// <summary>The intersection so far; the last interval in the rare case that it is empty.</summary>
    public static Interval Shown(ConfidenceSequence sequence) =>
        sequence.Running.Lower <= sequence.Running.Upper ? sequence.Running : sequence.Clipped;
}
