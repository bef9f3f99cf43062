using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;

namespace Silo.Cli;

/// <summary>
/// Where a command writes: results to standard output, in UTF-8 with plain line feeds, errors to standard error. With
/// <c>--json</c> standard output holds JSON alone.
/// </summary>
internal sealed class Terminal : IDisposable
{
    private readonly StreamWriter _out = new(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16) { NewLine = "\n" };

    /// <summary>Looks at what standard output is.</summary>
    public Terminal(bool json, bool plain)
    {
        Json = json;
        Interactive = !json && !plain && !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";
        Color = Interactive && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        Screen = AnsiConsole.Create(new AnsiConsoleSettings
        {
            // Windows must switch its console over first; elsewhere a terminal that is not dumb understands.
            Ansi = !Interactive ? AnsiSupport.No : OperatingSystem.IsWindows() ? AnsiSupport.Detect : AnsiSupport.Yes,
            ColorSystem = Color ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = Interactive ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(_out),
        });
    }

    /// <summary>Whether a program reads the output.</summary>
    public bool Json { get; }

    /// <summary>Whether lines may be redrawn.</summary>
    public bool Interactive { get; }

    /// <summary>Whether colours may be used.</summary>
    public bool Color { get; }

    /// <summary>The console for tables and progress.</summary>
    public IAnsiConsole Screen { get; }

    /// <summary>Writes the one JSON object that is the result.</summary>
    public void WriteJson<T>(T value, JsonTypeInfo<T> type) => WriteLine(JsonSerializer.Serialize(value, type));

    /// <summary>Writes a line as it is.</summary>
    public void WriteLine(string line) => _out.WriteLine(line);

    /// <summary>Writes what was written so far.</summary>
    public void Flush() => _out.Flush();

    /// <summary>Writes a line beside the result: to standard error where a program reads standard output.</summary>
    public void Note(string line)
    {
        if (Json) WriteLine(Console.OpenStandardError(), line);
        else _out.WriteLine(line);
    }

    /// <summary>Writes a table: framed on a terminal, columns of plain text otherwise.</summary>
    /// <param name="header">Names of the columns; one that begins with <c>#</c> (not shown) holds numbers and is aligned to the right.</param>
    /// <param name="rows">As many cells as columns.</param>
    public void WriteTable(IReadOnlyList<string> header, IReadOnlyList<string[]> rows)
    {
        var names = header.Select(name => name.TrimStart('#')).ToArray();
        if (Interactive)
        {
            var table = new Table().Border(TableBorder.Simple);
            for (var c = 0; c < names.Length; c++)
            {
                var column = new TableColumn(Markup.Escape(names[c]));
                table.AddColumn(header[c].StartsWith('#') ? column.RightAligned() : column);
            }
            foreach (var row in rows) table.AddRow([.. row.Select(Markup.Escape)]);
            Screen.Write(table);
            return;
        }
        var widths = names.Select((name, c) => rows.Select(row => row[c].Length).Append(name.Length).Max()).ToArray();
        foreach (var row in rows.Prepend(names))
        {
            WriteLine(string.Join("  ", row.Select((cell, c) =>
                header[c].StartsWith('#') ? cell.PadLeft(widths[c]) : cell.PadRight(widths[c]))).TrimEnd());
        }
    }

    /// <summary>Writes what is left.</summary>
    public void Dispose() => _out.Dispose();

    /// <summary>Gives a terminal its cursor back, which drawing hides.</summary>
    public static void ShowCursor()
    {
        if (!Console.IsOutputRedirected) Console.Out.Write("\u001b[?25h");
    }

    /// <summary>Writes one line about a failure to standard error, whatever characters it holds.</summary>
    public static void WriteError(string message) => WriteLine(Console.OpenStandardError(), $"silo: {OneLine(message)}");

    private static void WriteLine(Stream stream, string line)
    {
        try
        {
            stream.Write(Encoding.UTF8.GetBytes(line + "\n"));
            stream.Flush();
        }
        catch (IOException)
        {
            // Nobody is left to tell.
        }
    }

    private static string OneLine(string message) =>
        string.Concat(message.ReplaceLineEndings(" ").Select(c => char.IsControl(c) ? '\uFFFD' : c)).Trim();
}
