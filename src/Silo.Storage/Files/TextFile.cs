using System.Text.Json;
using Silo.Core;

namespace Silo.Storage.Files;

/// <summary>A text that was made elsewhere.</summary>
/// <param name="Prompt">The prompt's id.</param>
/// <param name="Item">The text's name within its prompt.</param>
/// <param name="Text">The text; any string.</param>
public sealed record TextRow(string Prompt, string Item, string Text);

/// <summary>Reads texts from JSON lines: <c>{"prompt","item","text"}</c>.</summary>
public static class TextFile
{
    /// <summary>Reads the texts of a file as they are asked for.</summary>
    /// <exception cref="SiloException">A line is not such an object, or a text stands twice.</exception>
    public static IEnumerable<TextRow> Read(string path)
    {
        var seen = new HashSet<(string, string)>();
        return JsonLines.Read(path, (JsonLine line, ref Utf8JsonReader reader) =>
        {
            var row = Parse(line, ref reader);
            return seen.Add((row.Prompt, row.Item))
                ? row
                : throw line.Error($"item {InputFile.Quote(row.Item)} of prompt {InputFile.Quote(row.Prompt)} stands twice");
        });
    }

    private static TextRow Parse(JsonLine line, ref Utf8JsonReader reader)
    {
        string? prompt = null, item = null, text = null;
        var keys = new List<string>(3);
        while (line.NextKey(ref reader, out var key, keys))
        {
            switch (key)
            {
                case "prompt": prompt = line.Text(ref reader, key); break;
                case "item": item = line.Text(ref reader, key); break;
                case "text": text = line.Text(ref reader, key); break;
                default: throw line.Error($"unknown key {InputFile.Quote(key)}; prompt, item, text are known");
            }
        }
        return new TextRow(
            prompt ?? throw line.Error("prompt is missing"),
            item ?? throw line.Error("item is missing"),
            text ?? throw line.Error("text is missing"));
    }
}
