using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Silo.Cli.Results;

/// <summary>The measures of texts.</summary>
internal sealed record ScoreResult(IReadOnlyList<TextScore> Texts);

/// <summary>The measures of one text; those of the model are present where one was given.</summary>
internal sealed record TextScore
{
    public required string Prompt { get; init; }
    public required string Item { get; init; }
    public required int Words { get; init; }
    [JsonPropertyName("utf8_len")]
    public required int Utf8Len { get; init; }
    public required int GzipLen { get; init; }
    public required double? GzipRatio { get; init; }
    public required int RawDeflateLen { get; init; }
    public required double? RawDeflateRatio { get; init; }

    [JsonPropertyName("distinct_1")]
    public required double Distinct1 { get; init; }

    [JsonPropertyName("distinct_2")]
    public required double Distinct2 { get; init; }

    [JsonPropertyName("distinct_3")]
    public required double Distinct3 { get; init; }

    [JsonPropertyName("distinct_4")]
    public required double Distinct4 { get; init; }
    public required double DistinctSum { get; init; }

    /// <summary>By name: what a model says of the text alone, its temperature being unknown.</summary>
    [JsonExtensionData]
    public JsonObject? OfModel { get; set; }
}
