using System.Globalization;
using System.Text;

namespace Silo.Storage.Export;

/// <summary>Writes a CSV file (RFC 4180, UTF-8, LF): numbers in the shortest form that restores them, an empty cell where undefined.</summary>
internal sealed class CsvFile : IDisposable
{
    private readonly StreamWriter _writer;

    public CsvFile(string path, params ReadOnlySpan<string> header)
    {
        _writer = new StreamWriter(File.Create(path), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
        Write(header.ToArray());
    }

    public void Write(params IReadOnlyList<object?> cells)
    {
        for (var i = 0; i < cells.Count; i++)
        {
            if (i > 0) _writer.Write(',');
            _writer.Write(cells[i] switch
            {
                null or double.NaN => "",
                double number => number.ToString("R", CultureInfo.InvariantCulture),
                IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
                var text => Quoted(text.ToString()!),
            });
        }
        _writer.Write('\n');
    }

    public void Dispose() => _writer.Dispose();

    private static string Quoted(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 && text.Trim().Length == text.Length ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
