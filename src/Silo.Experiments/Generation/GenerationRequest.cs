namespace Silo.Experiments.Generation;

/// <summary>One text that is asked for.</summary>
/// <param name="Key">The text's key; its temperature is the sampling temperature (0 = greedy).</param>
/// <param name="StreamKey">Key of its random stream, see <see cref="GenerationKey.StreamKey"/>.</param>
public readonly record struct GenerationRow(GenerationKey Key, UInt128 StreamKey);

/// <summary>
/// The texts of one prompt that an engine is asked for. The prompt is read once; its rows step together with those of
/// other requests, and no row's tokens or features depend on that company.
/// </summary>
public sealed record GenerationRequest
{
    /// <summary>The prompt's text; the engine tokenises it (and applies the model's own template where it has one).</summary>
    public required string Prompt { get; init; }

    /// <summary>The texts to make, at least one.</summary>
    public required IReadOnlyList<GenerationRow> Rows { get; init; }

    /// <summary>Most tokens a text may have, at least 1; fewer where the context ends first.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>How tokens are drawn.</summary>
    public SamplerOptions Sampler { get; init; } = new();

    /// <summary>K of the captured features: the top K logits and the sampled token. At least 1.</summary>
    public int CaptureK { get; init; } = 200;

    /// <summary>
    /// Further temperatures, each &gt; 0, at which every step's features are computed as well, whatever the text's own
    /// temperature: the twins that know of T only through the prefix.
    /// </summary>
    public IReadOnlyList<double> ReferenceTemperatures { get; init; } = [];
}
