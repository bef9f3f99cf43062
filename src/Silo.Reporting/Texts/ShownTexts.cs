using Silo.Experiments.Generation;
using Silo.Experiments.Spec;

namespace Silo.Reporting.Texts;

/// <summary>Which texts the page shows whole: few enough to be read, chosen by a rule that no measure or rank has a part in.</summary>
public static class ShownTexts
{
    /// <summary>Most prompts that are shown.</summary>
    public const int MaxPrompts = 6;

    /// <summary>
    /// Of the prompts that have texts, at most six, evenly spaced in the spec's order and beginning with the first; of each
    /// the first finished sample at every temperature, ascending by temperature.
    /// </summary>
    /// <param name="spec">The experiment.</param>
    /// <param name="finished">Keys of the finished texts.</param>
    /// <returns>The keys, prompt by prompt.</returns>
    public static IReadOnlyList<GenerationKey> Choose(ExperimentSpec spec, IEnumerable<GenerationKey> finished)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var byPrompt = finished.ToLookup(key => key.Prompt, StringComparer.Ordinal);
        var prompts = spec.Prompts.Where(p => byPrompt.Contains(p.Id)).ToList();
        var shown = Math.Min(MaxPrompts, prompts.Count);
        return
        [
            .. Enumerable.Range(0, shown).Select(i => prompts[(int)((long)i * prompts.Count / shown)].Id)
                .SelectMany(id => byPrompt[id].GroupBy(key => key.Temperature).OrderBy(g => g.Key).Select(g => g.MinBy(key => key.Sample))),
        ];
    }
}
