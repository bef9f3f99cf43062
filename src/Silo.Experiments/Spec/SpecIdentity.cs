using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Silo.Experiments.Spec;

/// <summary>
/// What makes two specs the same experiment: a canonical JSON text of all that texts and table depend on (prompts by
/// their content, whatever file they came from; the model by the engine's fingerprint, not here), and its SHA-256.
/// </summary>
/// <param name="Canonical">The canonical JSON, one line, keys in fixed order.</param>
/// <param name="Hash">SHA-256 of it in UTF-8, lower-case hex.</param>
public sealed record SpecIdentity(string Canonical, string Hash)
{
    /// <summary>The identity of a spec whose prompts are read.</summary>
    public static SpecIdentity Of(ExperimentSpec spec)
    {
        using var prompts = new PromptsHash();
        foreach (var prompt in spec.Prompts) prompts.Add(prompt);
        return Of(spec, prompts);
    }

    /// <summary>The identity of a spec whose prompts are elsewhere.</summary>
    /// <param name="spec">The spec; its own prompts are passed over.</param>
    /// <param name="prompts">The hash that all its prompts were added to, in order; it begins anew.</param>
    public static SpecIdentity Of(ExperimentSpec spec, PromptsHash prompts)
    {
        var canonical = JsonSerializer.Serialize(
            new CanonicalSpec(spec.Name, spec.Seed, prompts.Take(),
                spec.Temperatures, spec.Samples, spec.MaxTokens, spec.Sampler, spec.CaptureK, spec.ReferenceTemperatures,
                spec.PrimaryMeasures, spec.Traces, spec.Gold),
            SpecJson.Default.CanonicalSpec);
        return new SpecIdentity(canonical, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical))));
    }

    /// <summary>What differs between this spec and another, one entry a key: <c>max_tokens: 200 -&gt; 100</c>. Empty where nothing does.</summary>
    public IReadOnlyList<string> DifferencesTo(SpecIdentity other)
    {
        using var before = JsonDocument.Parse(Canonical);
        using var after = JsonDocument.Parse(other.Canonical);
        var differences = new List<string>();
        Compare("", before.RootElement, after.RootElement, differences);
        return differences;
    }

    private static void Compare(string path, JsonElement before, JsonElement after, List<string> differences)
    {
        if (JsonElement.DeepEquals(before, after)) return;
        if (path == "prompts")
            differences.Add($"prompts: {Prompts(before)} -> {Prompts(after)}");
        else if (before.ValueKind == JsonValueKind.Object && after.ValueKind == JsonValueKind.Object)
            foreach (var key in before.EnumerateObject().Concat(after.EnumerateObject()).Select(p => p.Name).Distinct(StringComparer.Ordinal))
                Compare(path.Length == 0 ? key : $"{path}.{key}", Member(before, key), Member(after, key), differences);
        else
            differences.Add($"{path}: {Shown(before)} -> {Shown(after)}");
    }

    private static JsonElement Member(JsonElement value, string key) => value.TryGetProperty(key, out var member) ? member : default;

    private static string Shown(JsonElement value) => value.ValueKind == JsonValueKind.Undefined ? "nothing" : value.GetRawText();

    private static string Prompts(JsonElement prompts) =>
        $"{prompts.GetProperty("count").GetRawText()} ({prompts.GetProperty("sha256").GetString()![..8]})";
}
