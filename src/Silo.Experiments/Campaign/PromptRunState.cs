using System.Collections.Immutable;

namespace Silo.Experiments.Campaign;

/// <summary>Where a prompt run stands.</summary>
public enum PromptRunStatus
{
    /// <summary>Not begun.</summary>
    New,

    /// <summary>Texts are asked for.</summary>
    Running,

    /// <summary>No text is asked for; answers on their way are still kept.</summary>
    Paused,

    /// <summary>Every row is kept or failed.</summary>
    Finished,

    /// <summary>Given up; answers on their way are dropped.</summary>
    Cancelled,
}

/// <summary>Where one row of a prompt stands.</summary>
public enum RowStatus
{
    /// <summary>Not made yet.</summary>
    Open,

    /// <summary>Its text is kept.</summary>
    Kept,

    /// <summary>Given up after its attempts, with a reason.</summary>
    Failed,
}

/// <summary>One row of a prompt.</summary>
/// <param name="Status">Where it stands.</param>
/// <param name="Attempts">Asks that failed for it.</param>
/// <param name="Reason">Why the last one did, or null.</param>
public sealed record PromptRow(RowStatus Status, int Attempts = 0, string? Reason = null);

/// <summary>
/// All that a prompt run remembers. Append-only: later versions add members with defaults, so that any stored state is read.
/// </summary>
public sealed record PromptRunState
{
    /// <summary>The prompt's rows in the plan's order.</summary>
    public required ImmutableArray<PromptRow> Rows { get; init; }

    /// <summary>Where the run stands.</summary>
    public PromptRunStatus Status { get; init; }

    /// <summary>Fingerprint of the engine that the kept texts are from; null as long as none is kept. One prompt never mixes two.</summary>
    public string? Engine { get; init; }

    /// <summary>A fingerprint that was declared gone: late answers of it are dropped.</summary>
    public string? Gone { get; init; }

    /// <summary>Number of the last ask, counted from 1; 0 before the first.</summary>
    public int Ask { get; init; }

    /// <summary>Whether that ask has no end yet.</summary>
    public bool Asking { get; init; }

    /// <summary>When that ask is taken for lost (driver's milliseconds), or null for never.</summary>
    public long? Deadline { get; init; }

    /// <summary>When to ask again after a failure or a busy engine, or null.</summary>
    public long? NextAsk { get; init; }

    /// <summary>Busy answers in a row.</summary>
    public int Busy { get; init; }

    /// <summary>How often the prompt was made anew because its engine was gone.</summary>
    public int Restarts { get; init; }

    /// <summary>A run that has not begun.</summary>
    /// <param name="rows">Number of rows, at least 1.</param>
    public static PromptRunState Create(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        return new() { Rows = [.. Enumerable.Repeat(new PromptRow(RowStatus.Open), rows)] };
    }

    /// <summary>A run as a store knows it: which rows are kept, by which engine, and which have failed for good.</summary>
    /// <param name="rows">The rows in plan order; open ones without attempts.</param>
    /// <param name="engine">Fingerprint of the kept rows, or null where none is kept.</param>
    public static PromptRunState Restore(IEnumerable<PromptRow> rows, string? engine) => new() { Rows = [.. rows], Engine = engine };

    /// <summary>Number of kept rows.</summary>
    public int Kept => Rows.Count(r => r.Status == RowStatus.Kept);

    /// <summary>Number of failed rows.</summary>
    public int Failed => Rows.Count(r => r.Status == RowStatus.Failed);
}
