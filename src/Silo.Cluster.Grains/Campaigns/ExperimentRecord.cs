using System.Text.Json.Serialization;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Experiments.Campaign;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>What an experiment's grain stores. Its size depends on the window alone.</summary>
internal sealed record ExperimentRecord
{
    public required string Spec { get; init; }
    public required string Hash { get; init; }
    public required int Prompts { get; init; }

    [JsonIgnore]
    public int Pages => (Prompts + Limits.PageSize - 1) / Limits.PageSize;

    public required int Shards { get; init; }
    public string? Model { get; init; }
    public string? Device { get; init; }
    public required CampaignState Campaign { get; init; }
    public bool Started { get; init; }
    public long Sequence { get; init; }
    public long Tokens { get; init; }
    public string? Digest { get; init; }
    public IReadOnlyList<string> Engines { get; init; } = [];
    public string? Trace { get; init; }

    /// <summary>Panels that ranks have named.</summary>
    public IReadOnlyList<string>? Panels { get; init; }
}

/// <summary>What a page's grain stores of its prompts' ends, by place in the page.</summary>
internal sealed record PageRecord
{
    public IReadOnlyList<PromptEnd> Ends { get; init; } = [];
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(ExperimentRecord))]
[JsonSerializable(typeof(PageRecord))]
[JsonSerializable(typeof(PromptPage))]
[JsonSerializable(typeof(OpenExperiments))]
internal sealed partial class CampaignJson : JsonSerializerContext;
