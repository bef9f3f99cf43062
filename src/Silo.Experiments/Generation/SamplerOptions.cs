namespace Silo.Experiments.Generation;

/// <summary>Where temperature stands among the processors of the logits; truncation sees p or q accordingly.</summary>
public enum TemperatureOrder
{
    /// <summary>Temperature first, truncation on q (as vLLM does).</summary>
    BeforeTruncation,

    /// <summary>Truncation on p, temperature on what is left (as Hugging Face does).</summary>
    AfterTruncation,
}

/// <summary>
/// How a token is drawn from the raw logits. Features are always those of the whole row, before truncation.
/// Truncations apply in the order top-k, top-p, min-p; the first token of the order is always kept.
/// </summary>
public sealed record SamplerOptions
{
    /// <summary>Keep only the k most probable tokens; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keep the smallest set of most probable tokens that holds at least this mass, in (0, 1]; 1 keeps all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Drop tokens less probable than this share of the most probable one, in [0, 1); 0 keeps all.</summary>
    public double MinP { get; init; }

    /// <summary>Whether temperature is applied before or after truncation.</summary>
    public TemperatureOrder Order { get; init; } = TemperatureOrder.BeforeTruncation;
}
