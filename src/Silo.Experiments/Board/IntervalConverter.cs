using System.Text.Json;
using System.Text.Json.Serialization;
using Silo.Core.Statistics;

namespace Silo.Experiments.Board;

/// <summary>Writes an interval as an array of two numbers, with null for an end that is not finite.</summary>
internal sealed class IntervalConverter : JsonConverter<Interval>
{
    public override Interval Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException("an interval is [lower, upper]");
        var lower = End(ref reader);
        var upper = End(ref reader);
        if (!reader.Read() || reader.TokenType != JsonTokenType.EndArray) throw new JsonException("an interval is [lower, upper]");
        return new(lower ?? double.NegativeInfinity, upper ?? double.PositiveInfinity);

        static double? End(ref Utf8JsonReader reader)
        {
            if (!reader.Read()) throw new JsonException("an interval is [lower, upper]");
            return reader.TokenType == JsonTokenType.Null ? null : reader.GetDouble();
        }
    }

    public override void Write(Utf8JsonWriter writer, Interval value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        End(writer, value.Lower);
        End(writer, value.Upper);
        writer.WriteEndArray();

        static void End(Utf8JsonWriter writer, double end)
        {
            if (double.IsFinite(end)) writer.WriteNumberValue(end);
            else writer.WriteNullValue();
        }
    }
}
