using Silo.Cluster.Contracts.Security;

namespace Silo.Cluster.Contracts.Campaigns;

/// <summary>
/// One experiment's campaign; key: the experiment's id. Accepts the spec once, lets prompts in page by page, keeps a
/// window of them in flight and reminds itself until all have come to their end.
/// </summary>
[Alias("silo.experiment")]
public interface IExperimentGrain : IGrainWithStringKey
{
    /// <summary>
    /// Accepts an experiment. Repeating it changes nothing; another spec under the same id is refused. Prompts follow
    /// by <see cref="IPromptPageGrain.Put"/>, then <see cref="Start"/>.
    /// </summary>
    [Alias("submit"), Requires(Access.Submit)]
    Task<SubmitReply> Submit(Submission submission);

    /// <summary>
    /// Starts the campaign once all its pages of prompts are in and what was submitted has the hash that was said; repeating
    /// it changes nothing.
    /// </summary>
    /// <returns>The first page that is missing, or null where it has started.</returns>
    /// <exception cref="Core.SiloException">It was not submitted, a prompt id stands twice, or spec and prompts have another hash.</exception>
    [Alias("start"), Requires(Access.Submit), ResponseTimeout("00:02:00")]
    Task<int?> Start();

    /// <summary>Where the campaign stands; null where none was submitted.</summary>
    [Alias("status"), Requires(Access.Read)]
    Task<CampaignStatusReply?> Status();

    /// <summary>The spec as submitted (without prompts), as JSON; null where none was submitted.</summary>
    [Alias("spec"), Requires(Access.Read)]
    Task<string?> Spec();

    /// <summary>
    /// Follows the campaign: each element is its whole standing under a sequence number, given once it is stored. Ends
    /// with the campaign. After a lost connection, watch again from the last number seen.
    /// </summary>
    /// <param name="after">The last sequence number seen, 0 for none.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    [Alias("watch")]
    IAsyncEnumerable<CampaignStatusReply> Watch(long after, CancellationToken cancellationToken = default);

    /// <summary>Begins no more prompts; those in flight keep what comes.</summary>
    /// <exception cref="Core.SiloException">It has not started.</exception>
    [Alias("pause"), Requires(Access.Operate)]
    Task<CampaignStatusReply?> Pause();

    /// <summary>Goes on after a pause.</summary>
    /// <exception cref="Core.SiloException">It has not started.</exception>
    [Alias("resume"), Requires(Access.Operate)]
    Task<CampaignStatusReply?> Resume();

    /// <summary>Gives up; what is stored stays.</summary>
    [Alias("cancel"), Requires(Access.Operate)]
    Task<CampaignStatusReply?> Cancel();

    /// <summary>Sets the most prompts in flight.</summary>
    /// <param name="window">1 to <see cref="Limits.MaxWindow"/>.</param>
    [Alias("window"), Requires(Access.Operate)]
    Task<CampaignStatusReply?> SetWindow(int window);

    /// <summary>What the experiment's other grains must know of it; null where none was submitted. Each silo asks once.</summary>
    [Alias("context")]
    Task<CampaignContext?> Context();

    /// <summary>Ranks name these panels, which the experiment may not have had yet; returns why they cannot be taken, or null.</summary>
    [Alias("admit-panels")]
    Task<string?> AdmitPanels(IReadOnlyList<string> panels);

    /// <summary>Prompts of a page have come to their end (from the page's grain; repeated until answered).</summary>
    [Alias("prompts-ended")]
    Task PromptsEnded(IReadOnlyList<PromptEnd> ends);

    /// <summary>An engine did not take an ask: the window narrows for a while.</summary>
    [Alias("engines-busy")]
    Task EnginesBusy();
}

/// <summary>An experiment handed in.</summary>
[GenerateSerializer, Immutable, Alias("silo.submission")]
public sealed record Submission
{
    /// <summary>The spec's JSON, with <c>prompts</c> left out.</summary>
    [Id(0)] public required string Spec { get; init; }

    /// <summary>SHA-256 of the canonical spec with its prompts (SpecIdentity), lower-case hex.</summary>
    [Id(1)] public required string Hash { get; init; }

    /// <summary>Number of prompts.</summary>
    [Id(2)] public required int Prompts { get; init; }

    /// <summary>Name of the model that inference hosts must serve; null: the embedded one.</summary>
    [Id(3)] public string? Model { get; init; }

    /// <summary>Kind of device that inference hosts must have (<c>cuda</c>); null: any.</summary>
    [Id(4)] public string? Device { get; init; }

    /// <summary>Most prompts in flight at first.</summary>
    [Id(5)] public int Window { get; init; } = 32;
}

/// <summary>What became of a submission.</summary>
public enum SubmitOutcome
{
    /// <summary>Accepted now.</summary>
    Accepted,

    /// <summary>The same experiment was accepted before.</summary>
    Known,

    /// <summary>Another experiment has this id; nothing was changed.</summary>
    Conflict,

    /// <summary>It breaks a limit or is not valid; see the reason.</summary>
    Refused,
}

/// <summary>Answer to a submission.</summary>
[GenerateSerializer, Immutable, Alias("silo.submit-reply")]
public sealed record SubmitReply
{
    /// <summary>What became of it.</summary>
    [Id(0)] public required SubmitOutcome Outcome { get; init; }

    /// <summary>One line on why not, or null.</summary>
    [Id(1)] public string? Reason { get; init; }
}

/// <summary>A campaign's standing at one moment.</summary>
[GenerateSerializer, Immutable, Alias("silo.campaign-status")]
public sealed record CampaignStatusReply
{
    /// <summary>Grows with every stored change.</summary>
    [Id(0)] public required long Sequence { get; init; }

    /// <summary><c>new</c>, <c>running</c>, <c>paused</c>, <c>cancelling</c>, <c>finished</c> or <c>cancelled</c>.</summary>
    [Id(1)] public required string Status { get; init; }

    /// <summary>Prompts in the plan.</summary>
    [Id(2)] public required int Prompts { get; init; }

    /// <summary>Prompts that have ended.</summary>
    [Id(3)] public required int Ended { get; init; }

    /// <summary>Prompts in flight.</summary>
    [Id(4)] public required int InFlight { get; init; }

    /// <summary>Texts kept.</summary>
    [Id(5)] public required long Kept { get; init; }

    /// <summary>Texts given up.</summary>
    [Id(6)] public required long Failed { get; init; }

    /// <summary>Most prompts in flight.</summary>
    [Id(7)] public required int Window { get; init; }

    /// <summary>How much of the window is used at present.</summary>
    [Id(8)] public required int Open { get; init; }

    /// <summary>Tokens of the kept texts.</summary>
    [Id(9)] public required long Tokens { get; init; }

    /// <summary>Digest of the finished campaign (RunDigest), or null.</summary>
    [Id(10)] public string? Digest { get; init; }

    /// <summary>Fingerprints of what made the texts; complete when finished.</summary>
    [Id(11)] public IReadOnlyList<string> Engines { get; init; } = [];

    /// <summary>The spec's hash.</summary>
    [Id(12)] public required string Hash { get; init; }
}

/// <summary>A prompt that has come to its end.</summary>
[GenerateSerializer, Immutable, Alias("silo.prompt-end")]
public sealed record PromptEnd
{
    /// <summary>Number of the prompt in the plan.</summary>
    [Id(0)] public required int Prompt { get; init; }

    /// <summary>Texts kept.</summary>
    [Id(1)] public required int Kept { get; init; }

    /// <summary>Texts given up.</summary>
    [Id(2)] public required int Failed { get; init; }

    /// <summary>Tokens of the kept texts.</summary>
    [Id(3)] public required long Tokens { get; init; }

    /// <summary>The prompt's digest (RunDigest.OfPrompt), 32 bytes.</summary>
    [Id(4)] public required byte[] Digest { get; init; }

    /// <summary>Fingerprint of what made its texts, or null where none is kept.</summary>
    [Id(5)] public string? Engine { get; init; }
}

/// <summary>What the grains of an experiment must know of it.</summary>
[GenerateSerializer, Immutable, Alias("silo.campaign-context")]
public sealed record CampaignContext
{
    /// <summary>The spec's JSON, without prompts.</summary>
    [Id(0)] public required string Spec { get; init; }

    /// <summary>Its hash.</summary>
    [Id(1)] public required string Hash { get; init; }

    /// <summary>Name of the model, or null for the embedded one.</summary>
    [Id(2)] public string? Model { get; init; }

    /// <summary>Kind of device, or null for any.</summary>
    [Id(3)] public string? Device { get; init; }

    /// <summary>Number of correlation shards.</summary>
    [Id(4)] public required int Shards { get; init; }

    /// <summary>Number of prompts.</summary>
    [Id(5)] public required int Prompts { get; init; }

    /// <summary>Trace context of the submission (W3C <c>traceparent</c>), which its prompts' traces link to; null where it was not traced.</summary>
    [Id(6)] public string? Trace { get; init; }
}
