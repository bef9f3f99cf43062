using System.Text.Json.Serialization;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Grains.State;
using Silo.Experiments.Campaign;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>What a prompt's grain stores in the main store: where its run stands, and its ranks.</summary>
internal sealed record PromptRecord
{
    /// <summary>Number of the prompt in the plan; -1 where ranks came before the campaign did.</summary>
    public int Number { get; init; } = -1;

    public PromptRunState? Run { get; init; }

    /// <summary>Every rank taken, in order of arrival.</summary>
    public IReadOnlyList<RankMessage> Ranks { get; init; } = [];

    /// <summary>How much of texts and ranks the correlation shard has said it counts.</summary>
    public Counted Counted { get; init; }
}

/// <summary>What it stores in the traces' store: its kept texts, by row.</summary>
internal sealed record PromptTextsRecord
{
    public IReadOnlyList<TextMessage> Texts { get; init; } = [];
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(PackedDoublesConverter)])]
[JsonSerializable(typeof(PromptRecord))]
[JsonSerializable(typeof(PromptTextsRecord))]
internal sealed partial class PromptJson : JsonSerializerContext;
