using System.Text.Json.Serialization;
using Silo.Experiments.Generation;

namespace Silo.Experiments.Spec;

/// <summary>What a spec's identity is made of: where model and prompts lie does not belong to it, what the prompts say does.</summary>
internal sealed record CanonicalSpec(
    string Name, ulong Seed, CanonicalPrompts Prompts, IReadOnlyList<double> Temperatures, int Samples, int MaxTokens,
    SamplerOptions Sampler, int CaptureK, IReadOnlyList<double> ReferenceTemperatures,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] IReadOnlyList<string>? PrimaryMeasures,
    TraceKeeping Traces, GoldSources Gold);

/// <summary>How many prompts, and the SHA-256 of their ids and texts in order.</summary>
internal sealed record CanonicalPrompts(int Count, string Sha256);
