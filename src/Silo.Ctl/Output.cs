using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Silo.Ctl;

/// <summary>Writes a result as one JSON object a line, or as text.</summary>
internal static class Output
{
    public static void Write<T>(bool json, T result, JsonTypeInfo<T> type, Func<T, string> text) =>
        Console.WriteLine(json ? JsonSerializer.Serialize(result, type) : text(result));
}
