namespace Silo.Reporting.Page;

/// <summary>One cell: its text, and whether it is a number (set to the right).</summary>
internal readonly record struct Cell(string Text, bool Number = false)
{
    public static implicit operator Cell(string text) => new(text);

    /// <summary>A cell with a number.</summary>
    public static Cell Of(string number) => new(number, true);
}

/// <summary>A table of the same numbers behind a toggle; wide ones scroll inside themselves.</summary>
internal sealed class TableMarkup(string caption, params string[] columns)
{
    private readonly Html _rows = new();
    private int _count;

    /// <summary>Adds a row; the first cell is its head.</summary>
    public TableMarkup Row(string? id, params Cell[] cells)
    {
        _rows.Add($"<tr{(id is null ? default : new Html().Add($" id=\"{id}\"").ToMarkup())}>");
        foreach (var (cell, i) in cells.Select((cell, i) => (cell, i)))
            _ = i == 0
                ? _rows.Add($"<th scope=\"row\">{cell.Text}</th>")
                : cell.Number ? _rows.Add($"<td class=\"n\">{cell.Text}</td>") : _rows.Add($"<td>{cell.Text}</td>");
        _rows.Add($"</tr>");
        _count++;
        return this;
    }

    /// <summary>The table behind its toggle.</summary>
    /// <param name="file">Name of the CSV file with the same numbers, or null.</param>
    public Markup Toggle(string? file) => new Html().Add(
        $"<details class=\"numbers\"><summary>{caption} <span class=\"soft\">({Numbers.Count(_count, "row")})</span></summary>{Csv(file)}{Table()}</details>")
        .ToMarkup();

    /// <summary>The table itself.</summary>
    public Markup Table()
    {
        var html = new Html();
        html.Add($"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table><caption class=\"vh\">{caption}</caption><thead><tr>");
        foreach (var column in columns) html.Add($"<th scope=\"col\">{column}</th>");
        return html.Add($"</tr></thead><tbody>{_rows.ToMarkup()}</tbody></table></div>").ToMarkup();
    }

    private static Markup Csv(string? file) => file is null
        ? default
        : new Html().Add($"<p class=\"csv\">The same, unrounded, for every measure and gold: <a href=\"tables/{file}.csv\">tables/{file}.csv</a></p>").ToMarkup();
}
