namespace Silo.Storage.Runs;

/// <summary>What a run says of itself.</summary>
public sealed record RunInfo
{
    /// <summary>When it was begun (UTC).</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Silo's version that began it.</summary>
    public required string Version { get; init; }

    /// <summary>Texts kept.</summary>
    public required long Kept { get; init; }

    /// <summary>Texts that failed for good.</summary>
    public required long Failed { get; init; }

    /// <summary>Tokens of the kept texts.</summary>
    public required long Tokens { get; init; }

    /// <summary>Distinct fingerprints of what made the texts, in ordinal order.</summary>
    public required IReadOnlyList<string> Engines { get; init; }

    /// <summary>Seconds spent generating, over all sittings.</summary>
    public required double Seconds { get; init; }

    /// <summary>When the last text was made and the digest computed (UTC), or null where the run is not finished.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>SHA-256 over keys, tokens and feature bits, or null where the run is not finished.</summary>
    public string? Digest { get; init; }

    /// <summary>Reference temperatures that measures exist for: the spec's, then those added later.</summary>
    public required IReadOnlyList<double> ReferenceTemperatures { get; init; }
}

/// <summary>A rank as it came. The newest of a text and rater counts.</summary>
/// <param name="Number">Its number in the order of arrival, from 1.</param>
/// <param name="Revision">How many ranks of the same text and rater came before it.</param>
/// <param name="Prompt">The prompt's id.</param>
/// <param name="Item">The text's name within the prompt (<c>t0.3-0</c>).</param>
/// <param name="Rater">Who ranked.</param>
/// <param name="Panel">The rater's panel, or null.</param>
/// <param name="Rank">1 = best, any finite number; null withdraws.</param>
/// <param name="Source">Where it came from: a file's name, a judge's.</param>
/// <param name="Came">When (UTC).</param>
public sealed record StoredRank(
    long Number, long Revision, string Prompt, string Item, string Rater, string? Panel, double? Rank, string Source, DateTimeOffset Came);

/// <summary>A rank that is to be stored.</summary>
/// <param name="Prompt">The prompt's id.</param>
/// <param name="Item">The text's name within the prompt.</param>
/// <param name="Rater">Who ranked.</param>
/// <param name="Panel">The rater's panel, or null.</param>
/// <param name="Rank">1 = best, any finite number; null withdraws.</param>
public readonly record struct NewRank(string Prompt, string Item, string Rater, string? Panel, double? Rank);

/// <summary>A failed attempt at a text.</summary>
/// <param name="Prompt">The prompt's id.</param>
/// <param name="Item">The text's name within the prompt.</param>
/// <param name="Attempt">Which attempt, from 1.</param>
/// <param name="Reason">Why, one line.</param>
/// <param name="Final">Whether the text was given up.</param>
/// <param name="Happened">When (UTC).</param>
public sealed record StoredFailure(string Prompt, string Item, int Attempt, string Reason, bool Final, DateTimeOffset Happened);

/// <summary>A prompt whose texts were deleted to be made anew because their engine was gone.</summary>
/// <param name="Prompt">The prompt's id.</param>
/// <param name="Engine">Fingerprint of what had made them.</param>
/// <param name="Texts">How many they were.</param>
/// <param name="Happened">When (UTC).</param>
public sealed record StoredDiscard(string Prompt, string Engine, int Texts, DateTimeOffset Happened);
