using System.Text.Json;
using Silo.Core;

namespace Silo.Storage.Files;

/// <summary>One line of a JSON-lines file: where it stands, and how its values are read and complained about.</summary>
/// <param name="Path">The file.</param>
/// <param name="Number">1-based line.</param>
internal readonly record struct JsonLine(string Path, long Number)
{
    /// <summary>What the line is about, once that is known: its errors name it, too.</summary>
    public string? Subject { get; init; }

    /// <summary>The error that names this line.</summary>
    public SiloException Error(string cause) => InputFile.Error(Path, Number, Subject is null ? cause : $"{Subject}: {cause}");

    /// <summary>Goes to the next key of the object; false at its end. Afterwards the reader stands on the key's value.</summary>
    /// <param name="reader">The reader, on the opening brace or on the last token of a value.</param>
    /// <param name="key">The key.</param>
    /// <param name="seen">The keys so far; a second one of the same name is an error.</param>
    public bool NextKey(ref Utf8JsonReader reader, out string key, List<string> seen)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndObject)
        {
            key = "";
            return false;
        }
        key = reader.GetString()!;
        if (seen.Contains(key)) throw Error($"the key {InputFile.Quote(key)} stands twice");
        seen.Add(key);
        reader.Read();
        return true;
    }

    /// <summary>The value as a string.</summary>
    public string Text(ref Utf8JsonReader reader, string key) =>
        reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw Wrong(ref reader, key, "a string");

    /// <summary>The value as a finite number.</summary>
    public double Number64(ref Utf8JsonReader reader, string key) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var value) && double.IsFinite(value)
            ? value
            : throw Wrong(ref reader, key, "a finite number");

    /// <summary>The value as a token id, 0 or more.</summary>
    public int TokenId(ref Utf8JsonReader reader, string key) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var value) && value >= 0
            ? value
            : throw Wrong(ref reader, key, "a token id (a whole number, 0 or more)");

    /// <summary>The value as a logit: a number that float32 can hold, or the string "-Infinity" for a masked token. The key is worded by place and index where it is wrong.</summary>
    public float Logit(ref Utf8JsonReader reader, string array, int index)
    {
        if (reader.TokenType == JsonTokenType.Number)
        {
            if (reader.TryGetDouble(out var value) && float.IsFinite((float)value)) return (float)value;
            throw Wrong(ref reader, $"{array}[{index}]", "a number within the range of float32");
        }
        if (reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("-Infinity"u8)) return float.NegativeInfinity;
        throw Wrong(ref reader, $"{array}[{index}]", "a number or \"-Infinity\"");
    }

    /// <summary>Goes into an array.</summary>
    public void Array(ref Utf8JsonReader reader, string key)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Wrong(ref reader, key, "an array");
    }

    /// <summary>The error for a value that is not what is expected.</summary>
    public SiloException Wrong(ref Utf8JsonReader reader, string key, string expected)
    {
        var found = reader.TokenType switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            JsonTokenType.EndArray => "missing",
            JsonTokenType.String => InputFile.Quote(reader.GetString()!),
            JsonTokenType.Null => "null",
            JsonTokenType.True => "true",
            JsonTokenType.False => "false",
            _ => System.Text.Encoding.UTF8.GetString(reader.ValueSpan),
        };
        return Error($"{key} is {found}; {expected} is expected");
    }
}
