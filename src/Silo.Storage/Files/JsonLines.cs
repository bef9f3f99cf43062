using System.Text.Json;
using Silo.Core;

namespace Silo.Storage.Files;

/// <summary>
/// Reads a file of JSON objects, one a line, in bounded memory: a line has at most <see cref="MaxLineBytes"/> bytes
/// (a row of 256,000 logits has about six million). Empty lines are passed over.
/// </summary>
internal static class JsonLines
{
    public const int MaxLineBytes = 1 << 26;

    private static ReadOnlySpan<byte> Mark => [0xEF, 0xBB, 0xBF];

    /// <summary>What reads one line; the reader stands on the opening brace.</summary>
    /// <typeparam name="T">What a line becomes.</typeparam>
    public delegate T LineParser<T>(JsonLine line, ref Utf8JsonReader reader);

    /// <summary>Reads the lines of a file as they are asked for.</summary>
    /// <exception cref="SiloException">The file cannot be read, or a line is not what <paramref name="parse"/> expects.</exception>
    public static IEnumerable<T> Read<T>(string path, LineParser<T> parse)
    {
        using var stream = InputFile.Open(path);
        var buffer = new byte[1 << 16];
        int start = 0, scanned = 0, end = 0;
        long number = 0, objects = 0;
        for (var last = false; !last || start < end;)
        {
            var length = buffer.AsSpan(scanned, end - scanned).IndexOf((byte)'\n');
            if (length < 0 && !last)
            {
                scanned = end;
                if (start > 0)
                {
                    buffer.AsSpan(start, end - start).CopyTo(buffer);
                    (start, scanned, end) = (0, scanned - start, end - start);
                }
                if (end == buffer.Length)
                {
                    if (end >= MaxLineBytes) throw InputFile.Error(path, number + 1, $"the line is longer than {MaxLineBytes} bytes");
                    Array.Resize(ref buffer, buffer.Length * 2);
                }
                var read = Fill(path, stream, buffer.AsSpan(end), number + 1);
                end += read;
                last = read == 0;
                continue;
            }
            var stop = length < 0 ? end : scanned + length;
            number++;
            var line = buffer.AsMemory(start, stop - start);
            start = scanned = Math.Min(stop + 1, end);
            if (number == 1 && line.Span.StartsWith(Mark)) line = line[Mark.Length..];
            if (line.Span.IndexOfAnyExcept(" \t\r"u8) < 0) continue;
            objects++;
            yield return Parse(new JsonLine(path, number), line.Span, parse);
        }
        if (objects == 0) throw InputFile.Error(path, "has no lines");
    }

    private static int Fill(string path, Stream stream, Span<byte> buffer, long line)
    {
        try
        {
            return stream.Read(buffer);
        }
        catch (IOException e)
        {
            throw InputFile.Error(path, line, $"cannot be read: {e.Message}");
        }
    }

    private static T Parse<T>(JsonLine line, ReadOnlySpan<byte> json, LineParser<T> parse)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject) throw line.Error("a JSON object is expected");
            var value = parse(line, ref reader);
            if (reader.Read()) throw line.Error("something follows the JSON object");
            return value;
        }
        catch (JsonException e)
        {
            throw line.Error($"not valid JSON at byte {e.BytePositionInLine}: {FirstSentence(e.Message)}");
        }
        catch (InvalidOperationException)
        {
            // Text that is no text: invalid UTF-8, or half of a surrogate pair.
            throw line.Error("a string is not valid Unicode");
        }
    }

    private static string FirstSentence(string message)
    {
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (end < 0 ? message : message[..end]).ReplaceLineEndings(" ");
    }
}
