using System.Globalization;
using System.Text;

namespace Silo.Reporting.Tables;

/// <summary>One table beside the report: RFC 4180 with LF, numbers as they are (shortest form that restores them), undefined as an empty cell.</summary>
public sealed class CsvTable
{
    private readonly StringBuilder _text = new();
    private readonly int _columns;

    internal CsvTable(string name, params string[] columns)
    {
        (Name, _columns) = (name, columns.Length);
        Write(columns);
    }

    /// <summary>The file's name without extension.</summary>
    public string Name { get; }

    /// <summary>The whole file.</summary>
    public string Text => _text.ToString();

    internal void Row(params object?[] cells)
    {
        if (cells.Length != _columns) throw new ArgumentException($"{Name}: {cells.Length} cells in {_columns} columns", nameof(cells));
        Write(cells.Select(Format));
    }

    private static string Format(object? cell) => cell switch
    {
        null => "",
        double value => double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : "",
        bool value => value ? "true" : "false",
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        _ => cell.ToString() ?? "",
    };

    private void Write(IEnumerable<string> cells) => _text.AppendJoin(',', cells.Select(Quote)).Append('\n');

    private static string Quote(string cell) =>
        cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
}
