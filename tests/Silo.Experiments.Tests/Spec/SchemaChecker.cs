using System.Text.Json;
using System.Text.RegularExpressions;

namespace Silo.Experiments.Tests.Spec;

/// <summary>
/// Checks a JSON value against the keywords of JSON Schema 2020-12 that the published schema uses, as its specification
/// (json-schema.org/draft/2020-12) defines them; a keyword it does not know fails the test.
/// </summary>
internal static class SchemaChecker
{
    public static bool Accepts(JsonElement schema, JsonElement value) => schema.EnumerateObject().All(keyword => keyword.Name switch
    {
        "$schema" or "title" or "description" or "default" => true,
        "type" => IsOfType(keyword.Value.GetString()!, value),
        "enum" => keyword.Value.EnumerateArray().Any(v => JsonElement.DeepEquals(v, value)),
        "oneOf" => keyword.Value.EnumerateArray().Count(s => Accepts(s, value)) == 1,
        "minimum" => value.ValueKind != JsonValueKind.Number || Number(value) >= Number(keyword.Value),
        "exclusiveMinimum" => value.ValueKind != JsonValueKind.Number || Number(value) > Number(keyword.Value),
        "maximum" => value.ValueKind != JsonValueKind.Number || Number(value) <= Number(keyword.Value),
        "exclusiveMaximum" => value.ValueKind != JsonValueKind.Number || Number(value) < Number(keyword.Value),
        "minLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.Length >= keyword.Value.GetInt32(),
        "pattern" => value.ValueKind != JsonValueKind.String || Regex.IsMatch(value.GetString()!, keyword.Value.GetString()!),
        "minItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() >= keyword.Value.GetInt32(),
        "uniqueItems" => value.ValueKind != JsonValueKind.Array || AllDiffer([.. value.EnumerateArray()]),
        "items" => value.ValueKind != JsonValueKind.Array || value.EnumerateArray().All(item => Accepts(keyword.Value, item)),
        "required" => value.ValueKind != JsonValueKind.Object || keyword.Value.EnumerateArray().All(name => value.TryGetProperty(name.GetString()!, out _)),
        "properties" => value.ValueKind != JsonValueKind.Object || value.EnumerateObject().All(p =>
            !keyword.Value.TryGetProperty(p.Name, out var property) || Accepts(property, p.Value)),
        "additionalProperties" => value.ValueKind != JsonValueKind.Object || keyword.Value.GetBoolean() || value.EnumerateObject().All(p =>
            schema.GetProperty("properties").TryGetProperty(p.Name, out _)),
        _ => throw new NotSupportedException($"keyword {keyword.Name}"),
    });

    private static bool IsOfType(string type, JsonElement value) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && value.GetDouble() == Math.Truncate(value.GetDouble()),
        _ => throw new NotSupportedException($"type {type}"),
    };

    // Exact where a double is not: 2^64 and 2^64 - 1 differ.
    private static decimal Number(JsonElement value) => value.TryGetDecimal(out var number) ? number : value.GetDouble() < 0 ? decimal.MinValue : decimal.MaxValue;

    private static bool AllDiffer(JsonElement[] items)
    {
        for (var i = 0; i < items.Length; i++)
            for (var j = 0; j < i; j++)
                if (JsonElement.DeepEquals(items[i], items[j])) return false;
        return true;
    }
}
