namespace Silo.Experiments.Campaign;

/// <summary>How patient a prompt run is. Times in milliseconds.</summary>
public sealed record PromptRunOptions
{
    /// <summary>Asks that may fail before a row is failed. Default 3.</summary>
    public int Attempts { get; init; } = 3;

    /// <summary>After how long an ask without end is taken for lost; null for never. Default 10 minutes.</summary>
    public long? AskTimeout { get; init; } = 600_000;

    /// <summary>Wait after the first failure; doubles with each. Default 1 second.</summary>
    public long RetryDelay { get; init; } = 1_000;

    /// <summary>Wait after the first busy answer; doubles with each. Default a quarter of a second.</summary>
    public long BusyDelay { get; init; } = 250;

    /// <summary>Longest wait. Default a minute.</summary>
    public long LongestDelay { get; init; } = 60_000;
}
