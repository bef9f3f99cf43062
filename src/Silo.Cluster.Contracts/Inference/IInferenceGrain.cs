using Silo.Cluster.Contracts.Campaigns;

namespace Silo.Cluster.Contracts.Inference;

/// <summary>
/// A way to an engine; key: model/slot. Lives only in inference hosts: validates, enqueues into the process's one
/// engine, awaits. A second activation of a slot does no harm.
/// </summary>
[Alias("silo.inference")]
public interface IInferenceGrain : IGrainWithStringKey
{
    /// <summary>Makes texts of one prompt. Not done within the time: unknown; asking again is safe.</summary>
    [Alias("generate"), ResponseTimeout("01:00:00")]
    Task<GenerateReply> Generate(GenerateMessage message, CancellationToken cancellationToken);
}

/// <summary>What an inference host is asked for.</summary>
[GenerateSerializer, Immutable, Alias("silo.generate")]
public sealed record GenerateMessage
{
    /// <summary>The experiment's spec, without prompts, as JSON.</summary>
    [Id(0)] public required string Spec { get; init; }

    /// <summary>The prompt's id.</summary>
    [Id(1)] public required string PromptId { get; init; }

    /// <summary>The prompt's text.</summary>
    [Id(2)] public required string Prompt { get; init; }

    /// <summary>Rows of the prompt's plan to make.</summary>
    [Id(3)] public required IReadOnlyList<int> Rows { get; init; }

    /// <summary>Only an engine of this fingerprint may make them; null: any.</summary>
    [Id(4)] public string? Engine { get; init; }
}

/// <summary>What became of an ask.</summary>
public enum GenerateOutcome
{
    /// <summary>The texts are here.</summary>
    Done,

    /// <summary>The queue is full: nothing was started, back off.</summary>
    Busy,

    /// <summary>This host has another engine.</summary>
    OtherEngine,

    /// <summary>It cannot be done here or anywhere: the prompt does not fit, say.</summary>
    Refused,

    /// <summary>It failed; another try may help.</summary>
    Failed,
}

/// <summary>Answer to an ask.</summary>
[GenerateSerializer, Immutable, Alias("silo.generate-reply")]
public sealed record GenerateReply
{
    /// <summary>What became of it.</summary>
    [Id(0)] public required GenerateOutcome Outcome { get; init; }

    /// <summary>The texts, in the order of the rows asked for.</summary>
    [Id(1)] public IReadOnlyList<TextMessage> Texts { get; init; } = [];

    /// <summary>One line on why not, or null.</summary>
    [Id(2)] public string? Reason { get; init; }

    /// <summary>Fingerprint of the host's engine.</summary>
    [Id(3)] public required string Engine { get; init; }
}
