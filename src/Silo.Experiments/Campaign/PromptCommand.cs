using System.Collections.Immutable;

namespace Silo.Experiments.Campaign;

/// <summary>
/// What a prompt run wants done, in this order. The driver writes <see cref="Keep"/>, <see cref="Discard"/> and
/// <see cref="Fail"/> together with the new state in one transaction, and does the rest after it; a command that a
/// crash swallowed is given again after <see cref="PromptEvent.Recover"/> or <see cref="PromptEvent.Begin"/>.
/// </summary>
public abstract record PromptCommand
{
    private PromptCommand() { }

    /// <summary>Ask an engine for these rows; answer with the events that name this ask.</summary>
    /// <param name="Number">The ask's number.</param>
    /// <param name="Rows">The rows, ascending.</param>
    /// <param name="Engine">Only an engine of this fingerprint may make them; null: any.</param>
    public sealed record Ask(int Number, ImmutableArray<int> Rows, string? Engine) : PromptCommand;

    /// <summary>Keep the text that has just come for this row.</summary>
    public sealed record Keep(int Row) : PromptCommand;

    /// <summary>Do not keep the text that has just come; count why.</summary>
    public sealed record Drop(int Row, DropCause Cause) : PromptCommand;

    /// <summary>Delete the prompt's kept texts: they are made anew. Say so where the run's failures are listed.</summary>
    /// <param name="Engine">Fingerprint of what made them.</param>
    public sealed record Discard(string Engine) : PromptCommand;

    /// <summary>Write down that an attempt at a row failed.</summary>
    /// <param name="Row">The row.</param>
    /// <param name="Attempt">Which attempt, from 1.</param>
    /// <param name="Reason">One line.</param>
    /// <param name="Final">True where it was the last: the row stays failed.</param>
    public sealed record Fail(int Row, int Attempt, string Reason, bool Final) : PromptCommand;

    /// <summary>Call with <see cref="PromptEvent.Tick"/> at this time (driver's milliseconds); a later one replaces it.</summary>
    public sealed record WakeAt(long Time) : PromptCommand;

    /// <summary>Stop working on an ask.</summary>
    public sealed record CancelAsk(int Number) : PromptCommand;

    /// <summary>Tell the campaign that the prompt has come to its end.</summary>
    public sealed record Finish(int Kept, int Failed, bool Cancelled) : PromptCommand;
}

/// <summary>Why a text that came is not kept.</summary>
public enum DropCause
{
    /// <summary>Its row is kept or failed already: the first stored result stands.</summary>
    Duplicate,

    /// <summary>Another engine made the prompt's other texts.</summary>
    OtherEngine,

    /// <summary>The prompt run was cancelled.</summary>
    Cancelled,
}
