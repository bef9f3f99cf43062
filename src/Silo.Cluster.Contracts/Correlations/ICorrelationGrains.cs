using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Security;

namespace Silo.Cluster.Contracts.Correlations;

/// <summary>
/// Sums over a part of an experiment's prompts; key: experiment/shard. Holds no row of any prompt: a prompt says what it
/// was counted as and what it is now, and the shard takes away the one and adds the other.
/// </summary>
[Alias("silo.correlation-shard")]
public interface ICorrelationShardGrain : IGrainWithStringKey
{
    /// <summary>Counts a prompt as it is now; answered when that is stored. Repeating it changes nothing.</summary>
    [Alias("update")]
    Task<ShardReply> Update(ShardUpdate update);

    /// <summary>The shard's sums, packed (BoardSums).</summary>
    [Alias("sums")]
    Task<byte[]> Sums();
}

/// <summary>The experiment's running correlations; key: the experiment's id. Merges its shards when asked.</summary>
[Alias("silo.correlation")]
public interface ICorrelationGrain : IGrainWithStringKey
{
    /// <summary>The running table; null where there is no such experiment.</summary>
    [Alias("board"), Requires(Access.Read), ResponseTimeout("00:02:00")]
    Task<RunningBoard?> Board();

    /// <summary>Something was counted: the gauges are due to be renewed (from a shard, at most every few seconds).</summary>
    [Alias("touch")]
    Task Touch();
}

/// <summary>How much of a prompt a shard has counted: its texts (all or none), and the first so many of its ranks.</summary>
/// <param name="Texts">Whether its texts were counted.</param>
/// <param name="Ranks">How many of its ranks, in order of arrival.</param>
[GenerateSerializer, Immutable, Alias("silo.counted")]
public readonly record struct Counted([property: Id(0)] bool Texts, [property: Id(1)] int Ranks);

/// <summary>What a prompt tells its shard.</summary>
[GenerateSerializer, Immutable, Alias("silo.shard-update")]
public sealed record ShardUpdate
{
    /// <summary>The prompt's id.</summary>
    [Id(0)] public required string Prompt { get; init; }

    /// <summary>What the prompt believes the shard has counted.</summary>
    [Id(1)] public required Counted From { get; init; }

    /// <summary>What it should count.</summary>
    [Id(2)] public required Counted To { get; init; }

    /// <summary>The prompt's texts, if either counts them.</summary>
    [Id(3)] public IReadOnlyList<ShardText> Texts { get; init; } = [];

    /// <summary>All its ranks, in order of arrival.</summary>
    [Id(4)] public IReadOnlyList<RankMessage> Ranks { get; init; } = [];
}

/// <summary>A text as the board sees it.</summary>
[GenerateSerializer, Immutable, Alias("silo.shard-text")]
public sealed record ShardText
{
    /// <summary>Its item name.</summary>
    [Id(0)] public required string Item { get; init; }

    /// <summary>Its temperature.</summary>
    [Id(1)] public required double Temperature { get; init; }

    /// <summary>Every measure of the catalog.</summary>
    [Id(2)] public required double[] Measures { get; init; }
}

/// <summary>A shard's answer: what it has counted of the prompt. If that is not what was asked for, tell it again from there.</summary>
/// <param name="Counted">What it has counted.</param>
[GenerateSerializer, Immutable, Alias("silo.shard-reply")]
public readonly record struct ShardReply([property: Id(0)] Counted Counted);

/// <summary>The running table of an experiment.</summary>
[GenerateSerializer, Immutable, Alias("silo.running-board")]
public sealed record RunningBoard
{
    /// <summary>Prompts whose texts are counted.</summary>
    [Id(0)] public required int Prompts { get; init; }

    /// <summary>Their texts.</summary>
    [Id(1)] public required int Texts { get; init; }

    /// <summary>A line per gold and measure (and control).</summary>
    [Id(2)] public required IReadOnlyList<RunningLine> Lines { get; init; }
}

/// <summary>One measure against one gold. Positive when larger values go with better ranks.</summary>
[GenerateSerializer, Immutable, Alias("silo.running-line")]
public sealed record RunningLine
{
    /// <summary>Name of the gold.</summary>
    [Id(0)] public required string Gold { get; init; }

    /// <summary>Name of the measure or control.</summary>
    [Id(1)] public required string Measure { get; init; }

    /// <summary>Whether it is of the declared primary family, or a control.</summary>
    [Id(2)] public required bool Declared { get; init; }

    /// <summary>Mean within-prompt rho, or null.</summary>
    [Id(3)] public required double? Rho { get; init; }

    /// <summary>Lower end of its 95 % interval (normal, from the exact sums of rho and rho squared), for one look.</summary>
    [Id(4)] public required double? Lower { get; init; }

    /// <summary>Upper end.</summary>
    [Id(5)] public required double? Upper { get; init; }

    /// <summary>Expectation of rho with the measure's ties broken at random.</summary>
    [Id(6)] public required double? RhoUntied { get; init; }

    /// <summary>Prompts with a defined rho.</summary>
    [Id(7)] public required long Defined { get; init; }

    /// <summary>Rated prompts without.</summary>
    [Id(8)] public required long Undefined { get; init; }

    /// <summary>Prompts without this gold.</summary>
    [Id(9)] public required long Unrated { get; init; }
}
