using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Silo.Ctl;

/// <summary>Writes results to standard output and notes to standard error.</summary>
internal static class Output
{
    /// <summary>Writes a result as one JSON object a line, or as text.</summary>
    public static void Write<T>(bool json, T result, JsonTypeInfo<T> type, Func<T, string> text) =>
        Console.WriteLine(json ? JsonSerializer.Serialize(result, type) : text(result));

    /// <summary>Writes one line beside the result.</summary>
    public static void Note(string line) => Console.Error.WriteLine($"siloctl: {line.ReplaceLineEndings(" ")}");
}
