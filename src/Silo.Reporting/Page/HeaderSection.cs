using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>The head of the page: what was run, and the switch of the theme.</summary>
internal static class HeaderSection
{
    private static readonly string[] s_themes = ["auto", "light", "dark"];

    /// <summary>Ids and titles of the nine parts, in their order.</summary>
    public static IReadOnlyList<(string Id, string Title)> Parts { get; } =
    [
        ("verdict", "Verdict"), ("measures", "Measures against controls"), ("temperature", "What temperature does"),
        ("mass", "p against q"), ("pairs", "Neighbouring temperatures"), ("running", "As ranks came in"),
        ("raters", "Raters"), ("texts", "Texts"), ("how", "How it was made"),
    ];

    public static Markup Write(ReportModel model)
    {
        var run = model.Run;
        var html = new Html();
        html.Add($"<div class=\"brand\"><span class=\"logo\">Silo</span><h1>{run.Name}</h1></div><p class=\"meta\">{Design(run)} <span class=\"dot\">·</span> {run.Model} <span class=\"dot\">·</span> {Digest(run)}</p>");
        html.Add($"<fieldset class=\"theme switch\" data-switch=\"theme\"><legend class=\"vh\">Theme</legend>");
        foreach (var (theme, i) in s_themes.Select((t, i) => (t, i)))
            html.Add($"<label><input type=\"radio\" name=\"theme\" value=\"{theme}\"{new Markup(i == 0 ? " checked" : "")}><span>{theme}</span></label>");
        return html.Add($"</fieldset>").ToMarkup();
    }

    /// <summary>The table of contents.</summary>
    public static Markup Contents()
    {
        var html = new Html().Add($"<ol>");
        foreach (var (id, title) in Parts) html.Add($"<li><a href=\"#{id}\">{title}</a></li>");
        return html.Add($"</ol>").ToMarkup();
    }

    /// <summary>A part's opening: its heading with its number.</summary>
    public static Markup Open(string id)
    {
        var number = 1 + Parts.Select(p => p.Id).ToList().IndexOf(id);
        return new Html().Add($"<section id=\"{id}\" aria-labelledby=\"h-{id}\"><h2 id=\"h-{id}\"><span class=\"no\">{number}</span> {Parts[number - 1].Title}</h2>").ToMarkup();
    }

    private static string Design(RunFacts run) =>
        $"{Numbers.Count(run.Prompts, "prompt")} \u00D7 {Numbers.Count(run.Temperatures.Count, "temperature")}"
        + (run.Samples > 1 ? $" \u00D7 {Numbers.Count(run.Samples, "sample")}" : "");

    private static Markup Digest(RunFacts run) => run.Digest.Length == 0
        ? new Html().Add($"not finished: no digest yet").ToMarkup()
        : new Html().Add($"digest <a href=\"#how\"><code>{run.Digest[..Math.Min(8, run.Digest.Length)]}\u2026</code></a>").ToMarkup();
}
