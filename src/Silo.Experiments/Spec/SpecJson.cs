using System.Text.Json.Serialization;
using Silo.Experiments.Generation;

namespace Silo.Experiments.Spec;

/// <summary>How specs are written as JSON (they are read by <see cref="SpecReader"/>, whose errors name the place).</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = false,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true,
    Converters = [typeof(TraceKeepingConverter), typeof(TemperatureOrderConverter)])]
[JsonSerializable(typeof(SpecFile))]
[JsonSerializable(typeof(CanonicalSpec))]
[JsonSerializable(typeof(string))]
internal sealed partial class SpecJson : JsonSerializerContext;

internal sealed class TraceKeepingConverter()
    : JsonStringEnumConverter<TraceKeeping>(System.Text.Json.JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false);

internal sealed class TemperatureOrderConverter()
    : JsonStringEnumConverter<TemperatureOrder>(System.Text.Json.JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false);
