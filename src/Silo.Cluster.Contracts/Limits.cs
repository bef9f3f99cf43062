namespace Silo.Cluster.Contracts;

/// <summary>
/// Bounds on whatever comes from outside. What passes one is refused with an error that names it; nothing is cut.
/// </summary>
public static class Limits
{
    /// <summary>Longest spec, in UTF-16 units (prompts are not part of it).</summary>
    public const int MaxSpecLength = 65_536;

    /// <summary>Longest prompt, in UTF-16 units.</summary>
    public const int MaxPromptLength = 32_768;

    /// <summary>Most tokens a text may ask for.</summary>
    public const int MaxTokens = 32_768;

    /// <summary>Most texts of one prompt (temperatures x samples).</summary>
    public const int MaxRows = 256;

    /// <summary>Most prompts of one experiment.</summary>
    public const int MaxPrompts = 10_000_000;

    /// <summary>Prompts of one page; the page of prompt n is n / 200.</summary>
    public const int PageSize = 200;

    /// <summary>Most prompts in flight.</summary>
    public const int MaxWindow = 4_096;

    /// <summary>Most experiments that are open (submitted and not ended) at once.</summary>
    public const int MaxOpenExperiments = 64;

    /// <summary>Most ranks in one batch for one prompt.</summary>
    public const int MaxRanksPerBatch = 4_096;

    /// <summary>Most ranks that one prompt takes in all its revisions.</summary>
    public const int MaxRanksPerPrompt = 65_536;

    /// <summary>Most panels of one experiment: each has golds of its own in every shard.</summary>
    public const int MaxPanels = 32;

    /// <summary>Most bytes of one grain's state; below Azure tables' own limit of 983,040, and Azurite's of a mebibyte in Base64.</summary>
    public const int MaxStateBytes = 750_000;

    /// <summary>Most bytes of a prompt's state that ranks are still taken into: the rest is for how its texts end.</summary>
    public const int MaxRankedBytes = 700_000;

    /// <summary>Longest name of a model, in UTF-16 units.</summary>
    public const int MaxModelLength = 200;

    /// <summary>Most bytes that the texts of one prompt may take by the plan's estimate: they travel in one message and lie in one document.</summary>
    public const int MaxPromptBytes = 32 * 1024 * 1024;

    /// <summary>Most bytes that they may take when they are there (<see cref="Campaigns.TextMessage.Bytes"/>): what is more is given up, with its reason.</summary>
    public const long MaxTextsBytes = 48 * 1024 * 1024;

    /// <summary>Longest reason that is kept with a text that was given up, in UTF-16 units.</summary>
    public const int MaxReasonLength = 300;

    /// <summary>Most bytes of one message.</summary>
    public const int MaxMessageBytes = 64 * 1024 * 1024;

    /// <summary>Most bytes of one document in the traces' store.</summary>
    public const int MaxTraceBytes = 64 * 1024 * 1024;
}
