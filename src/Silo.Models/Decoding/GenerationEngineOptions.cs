namespace Silo.Models;

/// <summary>How a <see cref="GenerationEngine"/> works. None of it changes a text.</summary>
public sealed record GenerationEngineOptions
{
    /// <summary>Most rows that step together.</summary>
    public int RowLimit { get; init; } = 64;

    /// <summary>Most requests that wait for a place.</summary>
    public int QueueLimit { get; init; } = 256;

    /// <summary>Most bytes of the key/value cache; 0 leaves it to the model.</summary>
    public long CacheBytes { get; init; }

    /// <summary>Whether features are computed; without them traces are empty.</summary>
    public bool Features { get; init; } = true;
}
