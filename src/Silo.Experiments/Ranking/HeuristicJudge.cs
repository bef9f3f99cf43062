namespace Silo.Experiments.Ranking;

/// <summary>A text as a judge sees it: no temperature, no model, no measure.</summary>
/// <param name="Prompt">The prompt's id.</param>
/// <param name="Item">The text's name within the prompt.</param>
/// <param name="Text">The text.</param>
public readonly record struct JudgedText(string Prompt, string Item, string Text);

/// <summary>
/// Orders a prompt's texts by simple signals of the text, so that a run without raters shows a whole result. It is no
/// person, its numbers are called heuristic wherever they stand, and they are no finding: it rewards known words and
/// punishes repetition, which is close to what some measures compute.
/// </summary>
/// <remarks>
/// score = familiar * (1 - repeated) * enough, rounded to 1/50, so that texts that differ little tie:
/// familiar = share of the text's words that occur in another text, too; repeated = share of its word trigrams
/// that occurred earlier in it; enough = min(1, words / 20). Words are lower-cased runs of letters and apostrophes.
/// </remarks>
public sealed class HeuristicJudge
{
    /// <summary>Its name as a rater, and the name of its panel.</summary>
    public const string Name = "heuristic";

    private const int EnoughWords = 20, Grain = 50;

    private readonly Dictionary<string, List<(string Item, string[] Words)>> _byPrompt = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seenOnce = new(StringComparer.Ordinal), _familiar = new(StringComparer.Ordinal);

    /// <summary>A judge that has read all texts of an experiment.</summary>
    /// <param name="texts">The texts; their order has no influence.</param>
    public HeuristicJudge(IEnumerable<JudgedText> texts)
    {
        foreach (var text in texts)
        {
            var words = Words(text.Text);
            if (!_byPrompt.TryGetValue(text.Prompt, out var items)) _byPrompt[text.Prompt] = items = [];
            items.Add((text.Item, words));
            foreach (var word in words.Distinct(StringComparer.Ordinal))
                if (!_seenOnce.Add(word)) _familiar.Add(word);
        }
    }

    /// <summary>Ranks of all texts of a prompt, 1 = best, mid-ranks for ties; empty for a prompt that was not read.</summary>
    /// <param name="prompt">The prompt's id.</param>
    /// <param name="revision">Revision of the events: larger than before where more texts were read.</param>
    public IReadOnlyList<RankEvent> Rank(string prompt, long revision = 0)
    {
        if (!_byPrompt.TryGetValue(prompt, out var items)) return [];
        var cost = items.Select(i => -Score(i.Words)).ToArray();
        var ranks = new double[cost.Length];
        Core.Statistics.MidRanks.Compute(cost, ranks);
        return [.. items.Select((item, i) => new RankEvent(prompt, item.Item, Name, Name, ranks[i], revision))];
    }

    /// <summary>Ranks of all texts of all prompts that were read, ordered by prompt.</summary>
    /// <param name="revision">Revision of the events.</param>
    public IReadOnlyList<RankEvent> RankAll(long revision = 0) =>
        [.. _byPrompt.Keys.Order(StringComparer.Ordinal).SelectMany(prompt => Rank(prompt, revision))];

    private double Score(string[] words)
    {
        if (words.Length == 0) return 0;
        var known = words.Count(_familiar.Contains) / (double)words.Length;
        var seen = new HashSet<(string, string, string)>();
        var repeated = 0;
        for (var i = 2; i < words.Length; i++)
            if (!seen.Add((words[i - 2], words[i - 1], words[i]))) repeated++;
        var fresh = 1 - repeated / (double)Math.Max(1, words.Length - 2);
        return Math.Round(known * fresh * Math.Min(1, words.Length / (double)EnoughWords) * Grain);
    }

    private static string[] Words(string text)
    {
        var words = new List<string>();
        var start = -1;
        for (var i = 0; i <= text.Length; i++)
        {
            var inside = i < text.Length && (char.IsLetter(text[i]) || (start >= 0 && text[i] is '\'' or '\u2019'));
            if (inside && start < 0) start = i;
            if (inside || start < 0) continue;
            words.Add(text[start..i].ToLowerInvariant());
            start = -1;
        }
        return [.. words];
    }
}
