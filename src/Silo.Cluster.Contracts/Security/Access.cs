namespace Silo.Cluster.Contracts.Security;

/// <summary>What a token allows. A token carries one or more of these and the experiments they hold for.</summary>
[Flags]
public enum Access
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Submit experiments and their prompts.</summary>
    Submit = 1,

    /// <summary>Send, correct and withdraw ranks.</summary>
    Rank = 2,

    /// <summary>Read status, board, texts and traces; watch.</summary>
    Read = 4,

    /// <summary>Pause, resume, cancel, change the window.</summary>
    Operate = 8,

    /// <summary>Calls between the silos' own grains; issued by silos alone, for minutes.</summary>
    Internal = 16,
}

/// <summary>
/// Declares what a grain method asks of its caller's token. A method of Silo's own interfaces without it can be called
/// by nobody but the silos themselves: deny by default.
/// </summary>
/// <param name="access">The access that the token must carry, for the experiment that the grain belongs to.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresAttribute(Access access) : Attribute
{
    /// <summary>The access that the token must carry.</summary>
    public Access Access { get; } = access;
}
