using System.Text.Json;
using System.Text.Json.Serialization;

namespace Silo.Reporting.Model;

/// <summary>The data inside the page, as source-generated JSON: the shown texts with their tokens.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UndefinedAsNull)])]
[JsonSerializable(typeof(TextSection))]
internal sealed partial class ReportJson : JsonSerializerContext;

/// <summary>Writes what is not finite as null: undefined, never a string or an error.</summary>
internal sealed class UndefinedAsNull : JsonConverter<double>
{
    public override bool HandleNull => true;

    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value)) writer.WriteNumberValue(value);
        else writer.WriteNullValue();
    }
}
