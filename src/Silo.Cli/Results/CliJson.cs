using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Silo.Cli.Bench;
using Silo.Core.Features;

namespace Silo.Cli.Results;

/// <summary>What the commands say to programs: snake_case keys, undefined numbers as null.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters = [typeof(UndefinedAsNull)])]
[JsonSerializable(typeof(AgreementResult))]
[JsonSerializable(typeof(MeasuresResult))]
[JsonSerializable(typeof(TokenizeResult))]
[JsonSerializable(typeof(ModelInfoResult))]
[JsonSerializable(typeof(GenerateResult))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(KernelBenchmark))]
[JsonSerializable(typeof(DeviceBenchResult))]
[JsonSerializable(typeof(DecodeBenchResult))]
[JsonSerializable(typeof(EngineBenchResult))]
[JsonSerializable(typeof(PerplexityLine))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(StartedLine))]
[JsonSerializable(typeof(GenerationLine))]
[JsonSerializable(typeof(FailureLine))]
[JsonSerializable(typeof(AnewLine))]
[JsonSerializable(typeof(PromptLine))]
[JsonSerializable(typeof(BoardLine))]
[JsonSerializable(typeof(StoppedLine))]
[JsonSerializable(typeof(DoneLine))]
[JsonSerializable(typeof(PlanLine))]
[JsonSerializable(typeof(RankResult))]
[JsonSerializable(typeof(ReportResult))]
[JsonSerializable(typeof(RemeasureResult))]
[JsonSerializable(typeof(ExportResult))]
internal sealed partial class CliJson : JsonSerializerContext
{
    /// <summary>The context that leaves text as readable as JSON allows.</summary>
    public static CliJson Readable { get; } = new(new JsonSerializerOptions
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new UndefinedAsNull() },
    });
}

/// <summary>NaN and infinities are null: JSON has no such numbers, and undefined is null throughout.</summary>
internal sealed class UndefinedAsNull : JsonConverter<double>
{
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value)) writer.WriteNumberValue(value);
        else writer.WriteNullValue();
    }
}
