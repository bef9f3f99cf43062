namespace Silo.Reporting.Page;

/// <summary>One choice of a switch.</summary>
internal readonly record struct Choice(string Key, string Title);

/// <summary>Radio buttons that choose between blocks that are all on the page; without script all of them show.</summary>
internal static class Switch
{
    /// <summary>A group of radio buttons; the first is chosen. Nothing where there is no choice.</summary>
    /// <param name="name">Which attribute of the blocks it chooses by: <c>gold</c>, <c>view</c>, <c>pair</c>, <c>tint</c>.</param>
    /// <param name="legend">What is chosen.</param>
    /// <param name="choices">The choices.</param>
    public static Markup Of(string name, string legend, IReadOnlyList<Choice> choices)
    {
        var html = new Html();
        if (choices.Count < 2) return html.ToMarkup();
        html.Add($"<fieldset class=\"switch\" data-switch=\"{name}\"><legend>{legend}</legend>");
        foreach (var (choice, i) in choices.Select((choice, i) => (choice, i)))
            html.Add($"<label><input type=\"radio\" name=\"{name}\" value=\"{choice.Key}\"{new Markup(i == 0 ? " checked" : "")}><span>{choice.Title}</span></label>");
        return html.Add($"</fieldset>").ToMarkup();
    }

    /// <summary>The class of a block: shown at the start, or not.</summary>
    public static string View(bool shown) => shown ? "view on" : "view";
}
