using System.Text.Json.Serialization;

namespace Silo.Experiments.Board;

/// <summary>The table as JSON: snake_case keys, undefined numbers as null, verdicts as <c>better</c>, <c>not_better</c>, <c>undecided</c>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [
    typeof(IntervalConverter), typeof(SnakeCaseEnumConverter<Verdict>), typeof(SnakeCaseEnumConverter<MeasureKind>)])]
[JsonSerializable(typeof(BoardTable))]
[JsonSerializable(typeof(MeasureResult))]
public sealed partial class BoardJson : JsonSerializerContext;

/// <summary>Enum members in snake_case.</summary>
internal sealed class SnakeCaseEnumConverter<TEnum>()
    : JsonStringEnumConverter<TEnum>(System.Text.Json.JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where TEnum : struct, Enum;
