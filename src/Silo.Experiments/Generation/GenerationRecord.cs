namespace Silo.Experiments.Generation;

/// <summary>
/// One finished text as it is stored and sent: everything that is known of it, with the distributions already reduced.
/// Measures are computed where the features are (see <c>Silo.Experiments.Measures</c>), so that a record of some
/// kilobytes is all that leaves the process.
/// </summary>
public sealed record GenerationRecord
{
    /// <summary>The text's key.</summary>
    public required GenerationKey Key { get; init; }

    /// <summary>The generated token ids, without prompt and end of text.</summary>
    public required int[] Tokens { get; init; }

    /// <summary>The text.</summary>
    public required string Text { get; init; }

    /// <summary>Why it ended.</summary>
    public required FinishReason Finish { get; init; }

    /// <summary>Value of every measure of the experiment's catalog, in its order; NaN where undefined.</summary>
    public required double[] Measures { get; init; }

    /// <summary>SHA-256 over the bits of all feature rows (little-endian float64: all full rows, then all captured ones).</summary>
    public required byte[] FeatureHash { get; init; }

    /// <summary>Fingerprint of what made it.</summary>
    public required string Engine { get; init; }

    /// <summary>The packed feature rows (see <c>PackedTrace</c>), or empty where the experiment does not keep them.</summary>
    public byte[] Trace { get; init; } = [];
}
