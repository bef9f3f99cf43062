using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Silo.Experiments.Generation;

namespace Silo.Experiments.Spec;

/// <summary>A spec as its JSON file has it, in the file's order of keys.</summary>
internal sealed record SpecFile(
    string Name, ulong Seed, string? Model, JsonNode Prompts, IReadOnlyList<double> Temperatures, int Samples, int MaxTokens,
    SamplerOptions Sampler, int CaptureK, IReadOnlyList<double> ReferenceTemperatures, IReadOnlyList<string>? PrimaryMeasures,
    TraceKeeping Traces, GoldSources Gold)
{
    private static readonly SpecJson Indented = new(new JsonSerializerOptions(SpecJson.Default.Options)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    public static string Write(ExperimentSpec spec)
    {
        JsonNode prompts = spec.PromptsFile is { } file ? JsonValue.Create(file) : new JsonArray(
            [.. spec.Prompts.Select(p => (JsonNode)new JsonObject { ["id"] = p.Id, ["text"] = p.Text })]);
        var written = new SpecFile(spec.Name, spec.Seed, spec.Model, prompts, spec.Temperatures, spec.Samples, spec.MaxTokens,
            spec.Sampler, spec.CaptureK, spec.ReferenceTemperatures, spec.PrimaryMeasures, spec.Traces, spec.Gold);
        return JsonSerializer.Serialize(written, Indented.SpecFile) + "\n";
    }
}

/// <summary>What a spec's identity is made of: where model and prompts lie does not belong to it, what the prompts say does.</summary>
internal sealed record CanonicalSpec(
    string Name, ulong Seed, CanonicalPrompts Prompts, IReadOnlyList<double> Temperatures, int Samples, int MaxTokens,
    SamplerOptions Sampler, int CaptureK, IReadOnlyList<double> ReferenceTemperatures,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] IReadOnlyList<string>? PrimaryMeasures,
    TraceKeeping Traces, GoldSources Gold);

/// <summary>How many prompts, and the SHA-256 of their ids and texts in order.</summary>
internal sealed record CanonicalPrompts(int Count, string Sha256);
