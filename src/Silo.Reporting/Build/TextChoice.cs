using Silo.Core.Features;
using Silo.Experiments.Generation;
using Silo.Reporting.Model;
using Silo.Reporting.Page;
using Silo.Reporting.Texts;

namespace Silo.Reporting.Build;

/// <summary>Part 8: the shown texts with their tokens, tints and cards.</summary>
internal static class TextChoice
{
    /// <summary>Most tokens of a text that are shown.</summary>
    public const int MaxTokens = 1000;

    /// <summary>Most characters of a text that is shown without its tokens.</summary>
    public const int MaxCharacters = 20_000;

    private const int Digits = 4;

    private sealed record Tint(TokenFeature Feature, string Title, string Unit, bool Logarithmic = false, int Sign = 1);

    private static readonly Tint[] s_tints =
    [
        new(TokenFeature.Leak, "leak", "of q outside p\u2019s top-90 % set"),
        new(TokenFeature.LogPX, "surprise, \u2212log p", "nats", Sign: -1),
        new(TokenFeature.LogQX, "surprise after, \u2212log q", "nats", Sign: -1),
        new(TokenFeature.EntropyP, "entropy before", "nats"),
        new(TokenFeature.EntropyQ, "entropy after", "nats"),
        new(TokenFeature.KlQP, "KL(q\u2016p)", "nats"),
        new(TokenFeature.Tv, "total variation", "of mass moved"),
        new(TokenFeature.RankX, "rank of the token", "(rank)", Logarithmic: true),
        new(TokenFeature.WidthP90, "width of p at 90 %", "tokens", Logarithmic: true),
        new(TokenFeature.WidthQ90, "width of q at 90 %", "tokens", Logarithmic: true),
    ];

    public static TextSection Build(ReportSource source, Raters raters)
    {
        var byKey = source.Generations.GroupBy(g => g.Key).ToDictionary(g => g.Key, g => g.First());
        var keys = ShownTexts.Choose(source.Spec, byKey.Keys);
        var vocabulary = new Vocabulary();
        var texts = keys.ToDictionary(key => key, key => Text(source, byKey[key], raters, vocabulary));
        var prompts = source.Spec.Prompts.ToDictionary(p => p.Id, p => p.Text, StringComparer.Ordinal);
        var scales = texts.Values.Any(t => t.Values.Count > 0) ? Scales(texts.Values) : [];
        return new TextSection
        {
            Total = source.Generations.Count,
            Rule = Rule(source, keys),
            Missing = Missing(source, keys, texts),
            Scales = scales,
            Vocabulary = vocabulary.Words,
            Prompts = [.. keys.GroupBy(k => k.Prompt, StringComparer.Ordinal).Select(g => new ShownPrompt(g.Key, prompts[g.Key], [.. g.Select(k => texts[k])]))],
        };
    }

    private static string Rule(ReportSource source, IReadOnlyList<GenerationKey> keys)
    {
        var shown = keys.Select(k => k.Prompt).Distinct(StringComparer.Ordinal).Count();
        if (shown == 0) return "No text is finished yet.";
        var all = source.Generations.Select(g => g.Key.Prompt).Distinct(StringComparer.Ordinal).Count();
        return $"{Numbers.Count(keys.Count)} of {Numbers.Count(source.Generations.Count, "text")} are shown: {(shown == all ? Numbers.Count(shown, "prompt") : $"{shown} of {Numbers.Count(all, "prompt")}, evenly spaced in the order of the spec")}, with the first sample at every temperature. No measure or rank had a part in the choice. The rest is in the run directory: silo export DIR writes it out.";
    }

    private static string Missing(
        ReportSource source, IReadOnlyList<GenerationKey> keys, Dictionary<GenerationKey, ShownText> texts)
    {
        var missing = new List<string>();
        if (keys.Any(k => texts[k].Values.Count == 0)) missing.Add("Token traces were not kept for some of these texts, so they are shown whole.");
        if (keys.Any(k => texts[k].Cards.Count == 0)) missing.Add("Some of these texts were not replayed through the model, so their cards show no top ten.");
        if (keys.Any(k => source.Generations.First(g => g.Key == k) is var g && (g.Tokens.Length > MaxTokens || g.Text.Length > MaxCharacters)))
            missing.Add($"Long texts are cut after {Numbers.Count(MaxTokens, "token")} or {Numbers.Count(MaxCharacters, "character")}.");
        return string.Join(' ', missing);
    }

    private static ShownText Text(ReportSource source, GenerationRecord record, Raters raters, Vocabulary vocabulary)
    {
        var steps = Math.Min(MaxTokens, record.Tokens.Length);
        var trace = source.Traces.GetValueOrDefault(record.Key);
        var details = source.Details.GetValueOrDefault(record.Key);
        // Tokens can be told apart only where somebody knows their texts.
        var walkable = trace is not null && trace.Steps >= steps && details is not null && details.Count >= steps && steps > 0;
        return new ShownText
        {
            Item = record.Key.Item,
            Temperature = record.Key.Temperature,
            Ranks = [.. source.Board.Golds.Select(g => raters.RankOf(g, record.Key))],
            Ended = record.Finish == FinishReason.Stop,
            Tokens = walkable ? [.. details!.Take(steps).Select(d => Escape.Visible(d.Token))] : [Escape.Visible(Cut(record.Text))],
            Values = walkable ? [.. s_tints.Select(t => Values(trace!, t, steps))] : [],
            Cards = walkable ? [.. details!.Take(steps).Select(d => Card(d, vocabulary))] : [],
        };
    }

    private static string Cut(string text) => text.Length > MaxCharacters ? text[..MaxCharacters] + "\u2026" : text;

    private static double[] Values(TokenTrace trace, Tint tint, int steps) =>
        [.. Enumerable.Range(0, steps).Select(i => Numbers.Significant(tint.Sign * trace.FullRow(i, 0)[(int)tint.Feature], Digits) + 0.0)];

    private static ShownToken Card(TokenDetail d, Vocabulary vocabulary) => new(
        Numbers.Significant(d.P, Digits), Numbers.Significant(d.Q, Digits), d.Rank, Numbers.Significant(d.EntropyP, Digits),
        Numbers.Significant(d.EntropyQ, Digits), Numbers.Significant(d.Leak, Digits),
        [.. d.Top.Select(c => vocabulary.Number(c.Token))],
        [.. d.Top.Select(c => Numbers.Significant(c.P, Digits))], [.. d.Top.Select(c => Numbers.Significant(c.Q, Digits))]);

    /// <summary>One scale a feature for all texts, so that tints can be compared; the top is the 99th percentile, for one freak should not wash out the rest.</summary>
    private static List<TokenScale> Scales(IEnumerable<ShownText> texts)
    {
        var shown = texts.Where(t => t.Values.Count > 0).ToList();
        return [.. s_tints.Index().Select(t =>
        {
            var low = t.Item.Logarithmic ? 1.0 : 0;
            var sorted = shown.SelectMany(text => text.Values[t.Index]).Where(double.IsFinite).Order().ToArray();
            var high = Math.Max(Panels.Quantile(sorted, 0.99), low + 1e-6);
            return new TokenScale(t.Item.Feature.Name(), t.Item.Title, t.Item.Unit, low, Numbers.Significant(high, 3), t.Item.Logarithmic);
        })];
    }

    /// <summary>Numbers the texts of candidates, each once.</summary>
    private sealed class Vocabulary
    {
        private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);

        public List<string> Words { get; } = [];

        public int Number(string word)
        {
            var seen = Escape.Visible(word);
            if (_numbers.TryGetValue(seen, out var number)) return number;
            Words.Add(seen);
            return _numbers[seen] = Words.Count - 1;
        }
    }
}
