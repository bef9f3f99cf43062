using System.Text.Json;
using Silo.Core;

namespace Silo.Storage.Files;

/// <summary>One decoding step that was made elsewhere.</summary>
public sealed record LogitsRow
{
    /// <summary>The row's id as JSON: a string with its quotes, or a whole number.</summary>
    public required string IdJson { get; init; }

    /// <summary>Where the row stands, for messages: file and line.</summary>
    public required string Place { get; init; }

    /// <summary>The raw logits of the whole vocabulary, or, where <see cref="TopIds"/> is given, of those tokens; minus infinity where masked.</summary>
    public required float[] Logits { get; init; }

    /// <summary>The token ids that <see cref="Logits"/> belong to, ascending, where only the top of the row is known; else null.</summary>
    public int[]? TopIds { get; init; }

    /// <summary>The log of the sum of exp of all logits, where only the top is known and this was recorded.</summary>
    public double? LogZ { get; init; }

    /// <summary>The temperature the token was sampled at, &gt; 0.</summary>
    public required double Temperature { get; init; }

    /// <summary>Index into <see cref="Logits"/> of the sampled token.</summary>
    public required int Token { get; init; }
}

/// <summary>
/// Reads logits from JSON lines: <c>{"id","logits":[number or "-Infinity"],"temperature","token"}</c>, or
/// <c>"top":[[id,logit],...]</c> with optional <c>"log_z"</c> in the place of <c>"logits"</c>.
/// </summary>
public static class LogitsFile
{
    /// <summary>Reads the rows of a file as they are asked for.</summary>
    /// <exception cref="SiloException">
    /// A line is not such an object, a logit is NaN or infinite, a token is outside of the vocabulary, outside of the
    /// known top, or masked, or an id stands twice.
    /// </exception>
    public static IEnumerable<LogitsRow> Read(string path)
    {
        var places = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var row in JsonLines.Read(path, Parse))
        {
            if (!places.TryAdd(row.IdJson, row.Place)) throw new SiloException($"{row.Place}: the id {InputFile.Quote(row.IdJson.Trim('"'))} stands at {places[row.IdJson]} already");
            yield return row;
        }
    }

    private static LogitsRow Parse(JsonLine line, ref Utf8JsonReader reader)
    {
        string? id = null;
        float[]? logits = null;
        (int Id, float Logit)[]? top = null;
        double? logZ = null, temperature = null;
        int? token = null;
        var keys = new List<string>(6);
        while (line.NextKey(ref reader, out var key, keys))
        {
            switch (key)
            {
                case "id":
                    id = Id(line, ref reader);
                    line = line with { Subject = $"id {InputFile.Quote(id.Trim('"'))}" };
                    break;
                case "logits": logits = Logits(line, ref reader); break;
                case "top": top = Top(line, ref reader); break;
                case "log_z": logZ = reader.TokenType == JsonTokenType.Null ? null : line.Number64(ref reader, key); break;
                case "temperature": temperature = line.Number64(ref reader, key); break;
                case "token": token = line.TokenId(ref reader, key); break;
                default: throw line.Error($"unknown key {InputFile.Quote(key)}; id, logits or top, log_z, temperature, token are known");
            }
        }
        if (id is null) throw line.Error("id is missing");
        if (logits is null == top is null) throw line.Error("either logits or top is expected");
        if (logZ is not null && top is null) throw line.Error("log_z belongs to top; with all logits it is not needed");
        if (temperature is not { } t) throw line.Error("temperature is missing");
        if (!(t > 0)) throw line.Error($"temperature is {t}; it must be above 0");
        if (token is not { } x) throw line.Error("token is missing");
        var index = x;
        if (logits is not null)
        {
            if (x >= logits.Length) throw line.Error($"token {x} is outside of the {logits.Length} logits");
        }
        else
        {
            index = Array.FindIndex(top!, entry => entry.Id == x);
            if (index < 0) throw line.Error($"token {x} is not in top: its features cannot be known");
            logits = [.. top!.Select(entry => entry.Logit)];
        }
        if (Array.TrueForAll(logits, float.IsNegativeInfinity)) throw line.Error("all logits are masked");
        if (float.IsNegativeInfinity(logits[index])) throw line.Error($"token {x} is masked, so it cannot have been sampled");
        return new LogitsRow
        {
            IdJson = id,
            Place = $"{line.Path}:{line.Number}",
            Logits = logits,
            TopIds = top?.Select(entry => entry.Id).ToArray(),
            LogZ = logZ,
            Temperature = t,
            Token = index,
        };
    }

    private static string Id(JsonLine line, ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String => $"\"{JsonEncodedText.Encode(reader.GetString()!, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"",
        JsonTokenType.Number when reader.TryGetInt64(out var number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => throw line.Wrong(ref reader, "id", "a string or a whole number"),
    };

    private static float[] Logits(JsonLine line, ref Utf8JsonReader reader)
    {
        line.Array(ref reader, "logits");
        var logits = new List<float>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            logits.Add(line.Logit(ref reader, "logits", logits.Count));
        }
        return logits.Count > 0 ? [.. logits] : throw line.Error("logits is empty");
    }

    /// <summary>Ascending by id, so that ties keep their order: the lower id first.</summary>
    private static (int Id, float Logit)[] Top(JsonLine line, ref Utf8JsonReader reader)
    {
        line.Array(ref reader, "top");
        var top = new List<(int Id, float Logit)>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var entry = $"top[{top.Count}]";
            line.Array(ref reader, entry);
            reader.Read();
            var id = line.TokenId(ref reader, $"{entry}[0]");
            reader.Read();
            var logit = line.Logit(ref reader, entry, 1);
            reader.Read();
            if (reader.TokenType != JsonTokenType.EndArray) throw line.Error($"{entry} has more than [id, logit]");
            top.Add((id, logit));
        }
        if (top.Count == 0) throw line.Error("top is empty");
        top.Sort((a, b) => a.Id.CompareTo(b.Id));
        for (var i = 1; i < top.Count; i++)
            if (top[i].Id == top[i - 1].Id) throw line.Error($"token {top[i].Id} stands twice in top");
        return [.. top];
    }
}
