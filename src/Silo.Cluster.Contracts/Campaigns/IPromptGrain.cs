using Silo.Cluster.Contracts.Security;

namespace Silo.Cluster.Contracts.Campaigns;

/// <summary>
/// One prompt of an experiment; key: experiment/prompt id. Orchestrates the prompt's generations across temperatures,
/// keeps each result once, takes ranks, and tells its correlation shard what the two amount to.
/// </summary>
[Alias("silo.prompt")]
public interface IPromptGrain : IGrainWithStringKey
{
    /// <summary>
    /// What the campaign wants (from the page's grain). Taken when it is answered, the work goes on after it; that a prompt
    /// has begun is not stored, since the campaign tells it again.
    /// </summary>
    [Alias("tell")]
    Task Tell(PromptOrder order, string text);

    /// <summary>
    /// Takes ranks: late, corrected, withdrawn, repeated ones, too. Idempotent by rater, item and revision.
    /// Ranks may come before the texts. Answered when they are stored and, where the texts are whole, counted.
    /// </summary>
    [Alias("rank"), Requires(Access.Rank)]
    Task<RankReply> Rank(IReadOnlyList<RankMessage> ranks);

    /// <summary>All ranks taken, in order of arrival.</summary>
    [Alias("ranks"), Requires(Access.Read)]
    Task<IReadOnlyList<RankMessage>> Ranks();

    /// <summary>The kept texts with tokens, measures and, if asked for, traces; and why others failed.</summary>
    [Alias("texts"), Requires(Access.Read)]
    Task<PromptTexts> Texts(bool traces);
}

/// <summary>One rank that a rater gives to a text of the prompt, or withdraws.</summary>
[GenerateSerializer, Immutable, Alias("silo.rank")]
public sealed record RankMessage
{
    /// <summary>The text's item name (<c>t0.3-0</c>).</summary>
    [Id(0)] public required string Item { get; init; }

    /// <summary>Who ranks.</summary>
    [Id(1)] public required string Rater { get; init; }

    /// <summary>The rank, 1 = best, any finite number; null withdraws.</summary>
    [Id(2)] public double? Rank { get; init; }

    /// <summary>The rater's panel, or null.</summary>
    [Id(3)] public string? Panel { get; init; }

    /// <summary>A higher revision of the same rater and item replaces a lower one, whatever the order of arrival.</summary>
    [Id(4)] public long Revision { get; init; }
}

/// <summary>What became of a batch of ranks.</summary>
[GenerateSerializer, Immutable, Alias("silo.rank-reply")]
public sealed record RankReply
{
    /// <summary>Ranks that are new.</summary>
    [Id(0)] public required int New { get; init; }

    /// <summary>Ranks that replaced an older revision.</summary>
    [Id(1)] public required int Corrected { get; init; }

    /// <summary>Ranks withdrawn.</summary>
    [Id(2)] public required int Withdrawn { get; init; }

    /// <summary>Ranks that were known, or older than what is known: nothing changed.</summary>
    [Id(3)] public required int Repeated { get; init; }

    /// <summary>Why the batch was refused as a whole, or null.</summary>
    [Id(4)] public string? Refused { get; init; }
}

/// <summary>What a prompt holds.</summary>
[GenerateSerializer, Immutable, Alias("silo.prompt-texts")]
public sealed record PromptTexts
{
    /// <summary>The kept texts in plan order.</summary>
    [Id(0)] public required IReadOnlyList<TextMessage> Texts { get; init; }

    /// <summary>Texts that were given up.</summary>
    [Id(1)] public required IReadOnlyList<FailureMessage> Failures { get; init; }
}

/// <summary>A text as it is sent.</summary>
[GenerateSerializer, Immutable, Alias("silo.text")]
public sealed record TextMessage
{
    /// <summary>Row in the prompt's plan.</summary>
    [Id(0)] public required int Row { get; init; }

    /// <summary>Token ids.</summary>
    [Id(1)] public required int[] Tokens { get; init; }

    /// <summary>The text.</summary>
    [Id(2)] public required string Text { get; init; }

    /// <summary>True where the model ended it, false where the limit did.</summary>
    [Id(3)] public required bool Stopped { get; init; }

    /// <summary>Every measure of the experiment's catalog, NaN where undefined.</summary>
    [Id(4)] public required double[] Measures { get; init; }

    /// <summary>SHA-256 over its feature bits.</summary>
    [Id(5)] public required byte[] FeatureHash { get; init; }

    /// <summary>Fingerprint of what made it.</summary>
    [Id(6)] public required string Engine { get; init; }

    /// <summary>The packed trace, or empty.</summary>
    [Id(7)] public byte[] Trace { get; init; } = [];

    /// <summary>About how many bytes it takes in a message and in a store, at most.</summary>
    public long Bytes => 200L + 5L * Tokens.Length + 3L * Text.Length + 9L * Measures.Length + FeatureHash.Length + Engine.Length + Trace.Length;
}

/// <summary>A text that was given up.</summary>
/// <param name="Row">Row in the prompt's plan.</param>
/// <param name="Attempts">Asks that failed.</param>
/// <param name="Reason">Why the last one did.</param>
[GenerateSerializer, Immutable, Alias("silo.failure")]
public sealed record FailureMessage([property: Id(0)] int Row, [property: Id(1)] int Attempts, [property: Id(2)] string Reason);
