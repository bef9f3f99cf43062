using Silo.Cluster.Contracts.Security;

namespace Silo.Cluster.Contracts.Campaigns;

/// <summary>
/// A page of an experiment's prompts; key: experiment/number. Holds their texts, passes commands on to them and gathers
/// their ends, so that neither the experiment nor any message grows with the number of prompts.
/// </summary>
[Alias("silo.prompt-page")]
public interface IPromptPageGrain : IGrainWithStringKey
{
    /// <summary>Takes the page's prompts; repeating it changes nothing, another content is refused.</summary>
    [Alias("put"), Requires(Access.Submit)]
    Task<SubmitReply> Put(PromptPage page);

    /// <summary>The page's prompts, in order; null where it was never put.</summary>
    [Alias("get"), Requires(Access.Read)]
    Task<PromptPage?> Get();

    /// <summary>Number of prompts in the page; 0 where it was never put.</summary>
    [Alias("count"), Requires(Access.Read)]
    Task<int> Count();

    /// <summary>Ends of the page's prompts, as far as they have come.</summary>
    [Alias("ends"), Requires(Access.Read)]
    Task<IReadOnlyList<PromptEnd>> Ends();

    /// <summary>Ids of the page's prompts; null where it was never put.</summary>
    [Alias("ids")]
    Task<IReadOnlyList<string>?> Ids();

    /// <summary>Tells prompts of this page what to do (from the experiment's grain).</summary>
    [Alias("tell")]
    Task Tell(IReadOnlyList<PromptOrder> orders);

    /// <summary>A prompt has come to its end (from its grain; repeated until answered).</summary>
    [Alias("prompt-ended")]
    Task PromptEnded(PromptEnd end);
}

/// <summary>Prompts of one page.</summary>
[GenerateSerializer, Immutable, Alias("silo.prompt-page-content")]
public sealed record PromptPage
{
    /// <summary>Their ids.</summary>
    [Id(0)] public required IReadOnlyList<string> Ids { get; init; }

    /// <summary>Their texts, in the order of the ids.</summary>
    [Id(1)] public required IReadOnlyList<string> Texts { get; init; }
}

/// <summary>What a prompt is told.</summary>
public enum PromptOrderKind
{
    /// <summary>Begin, or go on, or tell your end again.</summary>
    Begin,

    /// <summary>Ask for no more.</summary>
    Pause,

    /// <summary>Go on after a pause.</summary>
    Continue,

    /// <summary>Give up.</summary>
    Cancel,
}

/// <summary>What one prompt of a page is told.</summary>
/// <param name="Prompt">Number of the prompt in the plan.</param>
/// <param name="Kind">What it is told.</param>
[GenerateSerializer, Immutable, Alias("silo.prompt-order")]
public readonly record struct PromptOrder([property: Id(0)] int Prompt, [property: Id(1)] PromptOrderKind Kind);
