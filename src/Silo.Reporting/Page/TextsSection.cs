using Silo.Reporting.Charts;
using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>Part 8: a prompt's texts side by side, token by token.</summary>
internal static class TextsSection
{
    private const int StripHeight = 34;

    public static Markup Write(ReportModel model)
    {
        var texts = model.Texts;
        var html = new Html().Add(HeaderSection.Open("texts"));
        html.Add($"<p>{texts.Rule} {texts.Missing}</p>");
        if (texts.Scales.Count > 0)
        {
            html.Add($"<p class=\"onlyjs\">Hover over a token, or go to a text with Tab and along its tokens with the arrow keys: the card shows what the model saw there. Escape closes it.</p>");
            html.Add(Switch.Of("tint", "Tint tokens by", [.. texts.Scales.Select((s, i) => new Choice($"{i}", s.Title))]));
            html.Add(Legend(texts.Scales[0]));
        }
        foreach (var (prompt, i) in texts.Prompts.Select((p, i) => (p, i))) WritePrompt(html, model, prompt, i);
        return html.Add($"</section>").ToMarkup();
    }

    /// <summary>The tint's step, 0 to 8, of a value on its scale; the same for all texts.</summary>
    public static int Step(TokenScale scale, double value)
    {
        if (!double.IsFinite(value) || !(scale.High > scale.Low)) return 0;
        var share = scale.Logarithmic
            ? Math.Log(Math.Max(value, scale.Low) / scale.Low) / Math.Log(scale.High / scale.Low)
            : (value - scale.Low) / (scale.High - scale.Low);
        return (int)Math.Round(8 * Math.Clamp(share, 0, 1));
    }

    private static Markup Legend(TokenScale scale)
    {
        var html = new Html().Add($"<p class=\"tintlegend\" id=\"tintlegend\"><span class=\"lo\">{Numbers.Quantity(scale.Low)}</span><span class=\"ramp\" aria-hidden=\"true\">");
        for (var step = 0; step <= 8; step++) html.Add($"<span class=\"k{step}\">\u00A0\u00A0</span>");
        return html.Add($"</span><span class=\"hi\">{Numbers.Quantity(scale.High)} {scale.Unit} or more</span> <span class=\"soft\">the same scale for all texts{(scale.Logarithmic ? ", equal steps are equal ratios" : "")}; the strongest tints are underlined, too</span></p>").ToMarkup();
    }

    private static void WritePrompt(Html html, ReportModel model, ShownPrompt prompt, int index)
    {
        html.Add($"<details class=\"prompt\"{new Markup(index == 0 ? " open" : "")}><summary><b>{prompt.Id}</b> <bdi>{prompt.Text}</bdi></summary><div class=\"texts\">");
        foreach (var (text, i) in prompt.Texts.Select((t, i) => (t, i))) WriteText(html, model, text, $"{index}-{i}", prompt.Id);
        html.Add($"</div></details>");
    }

    private static void WriteText(Html html, ReportModel model, ShownText text, string id, string prompt)
    {
        var tinted = text.Values.Count > 0;
        html.Add($"<article class=\"text\" aria-label=\"{prompt}, {text.Item}\"><h3>T = {Numbers.Temperature(text.Temperature)} <span class=\"soft\">{text.Item}</span></h3><p class=\"soft\">{Facts(model, text)}</p>");
        if (tinted)
        {
            html.Add($"<div class=\"strip\" data-strip=\"{id}\">").Add(Strip(model.Texts.Scales[0], text.Values[0])).Add($"</div>");
            html.Add($"<div class=\"tokens\" dir=\"auto\" data-text=\"{id}\" tabindex=\"0\" role=\"group\" aria-label=\"Text at T = {Numbers.Temperature(text.Temperature)}: arrow keys go along its tokens\">");
            for (var t = 0; t < text.Tokens.Count; t++)
                html.Add($"<span class=\"k{Step(model.Texts.Scales[0], text.Values[0][t])}\"{LineEnd(text.Tokens[t])}>{text.Tokens[t]}</span>");
            html.Add($"</div>");
        }
        else
        {
            html.Add($"<div class=\"tokens plain\" dir=\"auto\">");
            foreach (var token in text.Tokens) html.Add($"{token}");
            html.Add($"</div>");
        }
        html.Add($"</article>");
    }

    /// <summary>A token that only ends a line could not be seen; the style sheet gives it a sign.</summary>
    private static Markup LineEnd(string token) => token.Length > 0 && token.All(c => c == '\n') ? new Markup(" data-nl=\"\"") : default;

    private static string Facts(ReportModel model, ShownText text)
    {
        var facts = new List<string>();
        foreach (var (gold, rank) in model.Board.Golds.Zip(text.Ranks).Where(g => double.IsFinite(g.Second)).Take(3))
            facts.Add($"rank {Numbers.Mark(rank)} ({(gold.Heuristic ? "heuristic judge" : gold.Name)})");
        facts.Add(text.Values.Count > 0 ? Numbers.Count(text.Tokens.Count, "token") : "tokens not kept");
        facts.Add(text.Ended ? "ended by the model" : "cut at the token limit");
        return string.Join(", ", facts);
    }

    /// <summary>The feature along the text; the script draws the same for the other features.</summary>
    private static Markup Strip(TokenScale scale, double[] values)
    {
        var axis = scale.Logarithmic && scale.Low > 0 && scale.High > scale.Low
            ? values.Select(v => Math.Log(Math.Max(v, scale.Low) / scale.Low) / Math.Log(scale.High / scale.Low))
            : values.Select(v => (v - scale.Low) / Math.Max(scale.High - scale.Low, 1e-12));
        var y = axis.Select(v => Math.Clamp(v, 0, 1)).ToList();
        var n = Axis.Marked(0, Math.Max(1, values.Length), []);
        var plot = new Plot(n, Axis.Marked(0, 1, []), StripHeight)
            .Line("stripline", [.. y.SelectMany((_, i) => new double[] { i, i + 1 })], [.. y.SelectMany(v => new[] { v, v })]);
        return plot.ToMarkup($"{scale.Title} along the text");
    }
}
