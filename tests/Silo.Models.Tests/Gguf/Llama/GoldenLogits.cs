using System.Text.Json;

namespace Silo.Models.Tests.Gguf.Llama;

/// <summary>The golden cases of stories260K; see the README beside them.</summary>
internal sealed record GoldenLogits(int[] Prompt, int[] Input, float[][] Logits, int[] Greedy, string GreedyText)
{
    public const double Tolerance = 1e-4;

    public static string Model(string format) => Shared.Path($"models/stories260k/stories260K-{format}.gguf");

    public static IEnumerable<GoldenLogits> Cases(string format)
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Shared.Path("models/stories260k/golden-logits.json")));
        foreach (var c in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            var f = c.GetProperty("formats").GetProperty(format);
            yield return new GoldenLogits(Ints(c.GetProperty("prompt_ids")), Ints(c.GetProperty("input_ids")),
                [.. f.GetProperty("logits").EnumerateArray().Select(row => row.EnumerateArray().Select(z => (float)z.GetDouble()).ToArray())],
                Ints(f.GetProperty("greedy_ids")), f.GetProperty("greedy_text").GetString()!);
        }
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(i => i.GetInt32())];
}
