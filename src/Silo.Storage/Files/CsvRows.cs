using System.Globalization;
using System.Text;
using CsvHelper;
using Silo.Core;

namespace Silo.Storage.Files;

/// <summary>
/// Reads a comma-separated file with a header (RFC 4180, UTF-8), row by row and in bounded memory. Every complaint
/// names file and line.
/// </summary>
internal sealed class CsvRows : IDisposable
{
    private const int MaxRecordBytes = 1 << 24;

    private readonly string _path;
    private readonly CsvReader _reader;

    /// <summary>Opens the file and reads its header.</summary>
    public CsvRows(string path)
    {
        _path = path;
        _reader = CsvReader.Create(InputFile.Open(path), new CsvReaderOptions
        {
            Separator = ',',
            HasHeader = false,
            MaxRecordSize = MaxRecordBytes,
            MalformedData = CsvMalformedDataHandling.Throw,
            TrackLineNumbers = true,
        }, leaveOpen: false);
        try
        {
            if (!Next()) throw InputFile.Error(path, "is empty; a header line is expected");
            Header = [.. Enumerable.Range(0, _reader.FieldCount).Select(column => Field(column).Trim())];
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var name in Header)
            {
                if (name.Length == 0) throw Error("a column has no name");
                if (!seen.Add(name)) throw Error($"the column {InputFile.Quote(name)} stands twice in the header");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The names of the columns.</summary>
    public string[] Header { get; }

    /// <summary>Goes to the next row; false at the end of the file.</summary>
    public bool Read()
    {
        if (!Next()) return false;
        return _reader.FieldCount == Header.Length
            ? true
            : throw Error($"{_reader.FieldCount} fields where the header has {Header.Length} columns");
    }

    /// <summary>Where a column is.</summary>
    /// <exception cref="SiloException">There is none of that name.</exception>
    public int Column(string name)
    {
        var column = Array.IndexOf(Header, name);
        return column >= 0 ? column : throw Error(
            $"no column {InputFile.Quote(name)}; the header is {InputFile.Quote(string.Join(',', Header))} (a comma-separated header line is expected)");
    }

    /// <summary>A field of the current row.</summary>
    public string Field(int column)
    {
        try
        {
            return InputFile.Utf8.GetString(_reader.GetSpan(column));
        }
        catch (DecoderFallbackException)
        {
            throw Error("not valid UTF-8 text");
        }
    }

    /// <summary>A field of the current row that must not be empty.</summary>
    public string Text(int column) => Field(column) is { Length: > 0 } text ? text : throw Error($"{Header[column]} is empty");

    /// <summary>A field as a finite number in the invariant culture, or null where it is empty.</summary>
    public double? Number(int column)
    {
        var field = Field(column);
        if (string.IsNullOrWhiteSpace(field)) return null;
        if (double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value))
            return value;
        throw Error($"{Header[column]} is {InputFile.Quote(field)}, not a finite number");
    }

    /// <summary>1-based line of the file that the current row ends in.</summary>
    public long Line => Math.Max(1, _reader.LineNumber);

    /// <summary>The error that names the current line.</summary>
    public SiloException Error(string cause) => InputFile.Error(_path, Line, cause);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _reader.Dispose();

    private bool Next()
    {
        try
        {
            return _reader.Read();
        }
        catch (CsvFormatException e)
        {
            throw InputFile.Error(_path, Math.Max(1, e.LineNumber), $"not comma-separated text: {e.Message.ReplaceLineEndings(" ")}");
        }
        catch (IOException e)
        {
            throw Error($"cannot be read: {e.Message}");
        }
    }
}
