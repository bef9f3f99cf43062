using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Silo.Experiments.Generation;

namespace Silo.Experiments.Spec;

/// <summary>Writes specs as the JSON files that <see cref="SpecReader"/> reads.</summary>
public static class SpecWriter
{
    private static readonly SpecJson s_indented = new(new JsonSerializerOptions(SpecJson.Default.Options)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>An indented JSON text with every key written out; prompts inline unless they are in a file.</summary>
    public static string Write(ExperimentSpec spec)
    {
        JsonNode prompts = spec.PromptsFile is { } file ? JsonValue.Create(file) : new JsonArray(
            [.. spec.Prompts.Select(p => (JsonNode)new JsonObject { ["id"] = p.Id, ["text"] = p.Text })]);
        var written = new SpecFile(spec.Name, spec.Seed, spec.Model, prompts, spec.Temperatures, spec.Samples, spec.MaxTokens,
            spec.Sampler, spec.CaptureK, spec.ReferenceTemperatures, spec.PrimaryMeasures, spec.Traces, spec.Gold);
        return JsonSerializer.Serialize(written, s_indented.SpecFile) + "\n";
    }
}

/// <summary>A spec as its JSON file has it, in the file's order of keys.</summary>
internal sealed record SpecFile(
    string Name, ulong Seed, string? Model, JsonNode Prompts, IReadOnlyList<double> Temperatures, int Samples, int MaxTokens,
    SamplerOptions Sampler, int CaptureK, IReadOnlyList<double> ReferenceTemperatures, IReadOnlyList<string>? PrimaryMeasures,
    TraceKeeping Traces, GoldSources Gold);
