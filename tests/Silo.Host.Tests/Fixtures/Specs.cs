using System.Globalization;

namespace Silo.Host.Tests.Fixtures;

/// <summary>Experiments of the embedded model, small enough to wait for.</summary>
internal static class Specs
{
    private static readonly string[] s_heroes = ["The dog", "A cat", "Lily", "Tim", "The old man", "A bird", "Mom", "The little boy"];

    /// <summary>An experiment's file with some prompts, each of three texts.</summary>
    public static string Json(string name, int prompts, int seed = 7, int maxTokens = 12)
    {
        var list = string.Join(", ", Enumerable.Range(1, prompts).Select(i => string.Create(CultureInfo.InvariantCulture,
            $$"""{ "id": "p{{i}}", "text": "{{s_heroes[i % s_heroes.Length]}} went out on day {{i}}." }""")));
        return string.Create(CultureInfo.InvariantCulture, $$"""
            { "name": "{{name}}", "seed": {{seed}}, "prompts": [{{list}}], "temperatures": [0.3, 0.8, 1.5], "max_tokens": {{maxTokens}} }
            """);
    }

    /// <summary>The digest of <c>silo run</c>, and the run's directory.</summary>
    public static async Task<(string Digest, string Run)> RunLocallyAsync(TemporaryFolder folder, string file, string run = "local")
    {
        var end = (await SiloProcess.RunAsync("run", file, "--out", folder[run], "--json")).Json;
        return (end.Text("digest"), folder[run]);
    }
}
