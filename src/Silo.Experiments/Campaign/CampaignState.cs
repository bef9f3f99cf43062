using System.Collections.Immutable;

namespace Silo.Experiments.Campaign;

/// <summary>Where a campaign stands.</summary>
public enum CampaignStatus
{
    /// <summary>Not begun.</summary>
    New,

    /// <summary>Prompts are begun as the window allows.</summary>
    Running,

    /// <summary>No prompt is begun; those in flight wait.</summary>
    Paused,

    /// <summary>Cancelled, and waiting for the prompts in flight to say so.</summary>
    Cancelling,

    /// <summary>Every prompt has come to its end.</summary>
    Finished,

    /// <summary>Cancelled, nothing in flight.</summary>
    Cancelled,
}

/// <summary>
/// All that a campaign remembers; its size depends on the window, not on the number of prompts. Append-only: later
/// versions add members with defaults, so that any stored state is read.
/// </summary>
public sealed record CampaignState
{
    /// <summary>Number of prompts in the plan.</summary>
    public required int Prompts { get; init; }

    /// <summary>Most prompts in flight, at least 1.</summary>
    public required int Window { get; init; }

    /// <summary>How much of the window is used at present: one less for each ask that busy engines refused, one more for each prompt that ended.</summary>
    public int Open { get; init; }

    /// <summary>Where the campaign stands.</summary>
    public CampaignStatus Status { get; init; }

    /// <summary>The first prompt that was not begun.</summary>
    public int Next { get; init; }

    /// <summary>The prompts begun and not ended, ascending.</summary>
    public ImmutableArray<int> InFlight { get; init; } = [];

    /// <summary>Prompts that have ended.</summary>
    public int Ended { get; init; }

    /// <summary>Texts kept in them.</summary>
    public long Kept { get; init; }

    /// <summary>Texts that failed in them.</summary>
    public long Failed { get; init; }

    /// <summary>A campaign that has not begun.</summary>
    /// <param name="prompts">Number of prompts, at least 1.</param>
    /// <param name="window">Most prompts in flight, at least 1.</param>
    public static CampaignState Create(int prompts, int window)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(prompts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 1);
        return new() { Prompts = prompts, Window = window, Open = window };
    }
}
