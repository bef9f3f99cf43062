using Silo.Core;

namespace Silo.Storage.Files;

/// <summary>One text of a measure file.</summary>
/// <param name="Prompt">The prompt's id.</param>
/// <param name="Item">The text's name within its prompt.</param>
/// <param name="Values">A value per column of <see cref="MeasureTable.Columns"/>; NaN where the field is empty.</param>
public sealed record MeasureRow(string Prompt, string Item, double[] Values);

/// <summary>Measures of texts that were made elsewhere.</summary>
/// <param name="Columns">The names of the measures, in the file's order.</param>
/// <param name="Rows">The texts, in the file's order.</param>
public sealed record MeasureTable(IReadOnlyList<string> Columns, IReadOnlyList<MeasureRow> Rows);

/// <summary>Reads measures of texts from CSV: <c>prompt,item</c> and a column for each measure; an empty field is undefined.</summary>
public static class MeasureFile
{
    /// <summary>Reads a file of measures.</summary>
    /// <exception cref="SiloException">A column is missing, a value is no finite number, a temperature or length is below 0, a text stands twice.</exception>
    public static MeasureTable Read(string path)
    {
        using var rows = new CsvRows(path);
        int prompt = rows.Column("prompt"), item = rows.Column("item");
        var columns = Enumerable.Range(0, rows.Header.Length).Where(c => c != prompt && c != item).ToArray();
        if (columns.Length == 0) throw InputFile.Error(path, 1, "has no column but prompt and item; a column for each measure is expected");
        if (Array.Find(rows.Header, name => name.StartsWith("control.", StringComparison.Ordinal)) is { } taken)
            throw InputFile.Error(path, 1, $"has a column {InputFile.Quote(taken)}: names that begin with 'control.' are Silo's own (temperature, length and outside_capture become controls)");
        var seen = new HashSet<(string, string)>();
        var result = new List<MeasureRow>();
        while (rows.Read())
        {
            var key = (Prompt: rows.Text(prompt), Item: rows.Text(item));
            if (!seen.Add(key)) throw rows.Error($"item {InputFile.Quote(key.Item)} of prompt {InputFile.Quote(key.Prompt)} stands twice");
            result.Add(new MeasureRow(key.Prompt, key.Item, [.. columns.Select(c => Value(rows, c))]));
        }
        return result.Count > 0
            ? new MeasureTable([.. columns.Select(c => rows.Header[c])], result)
            : throw InputFile.Error(path, "has no rows");
    }

    /// <summary>Other programs write an undefined number as "nan", too. Temperatures and lengths are no numbers below 0.</summary>
    private static double Value(CsvRows rows, int column)
    {
        if (rows.Field(column).Trim().Equals("nan", StringComparison.OrdinalIgnoreCase)) return double.NaN;
        var value = rows.Number(column) ?? double.NaN;
        return value < 0 && rows.Header[column] is ("temperature" or "length")
            ? throw rows.Error($"{rows.Header[column]} is {InputFile.Quote(rows.Field(column))}; a number that is not below 0 is expected")
            : value;
    }
}
