using Silo.Core.Features;
using Silo.Experiments.Generation;
using Silo.Reporting.Texts;

namespace Silo.Reporting.Tests.Synthetic;

/// <summary>
/// A language model of no language: logits fall with a token's place in an order that the step shuffles, some steps are
/// sure and some are not. Enough that features, masses and cards look like those of a real one.
/// </summary>
internal sealed class SyntheticModel(int seed, IReadOnlyList<string>? words = null)
{
    public const int V = 400;

    private static readonly string[] s_syllables = ["ba", "lu", "mi", "ro", "ten", "sha", "ko", "vel", "ish", "an", "dor", "ef", "gri", "nu", "pa"];

    public string TokenText(int id)
    {
        if (words is not null && id < words.Count) return words[id];
        if (id == 0) return ".";
        if (id == 1) return ",";
        if (id == 2) return "\n";
        var word = s_syllables[id % s_syllables.Length] + (id > 40 ? s_syllables[id / s_syllables.Length % s_syllables.Length] : "");
        return id % 7 == 0 ? word : " " + word;
    }

    public (GenerationResult Result, IReadOnlyList<TokenDetail> Details) Generate(GenerationKey key, int tokens, double[] references, int captureK)
    {
        var random = new Random(HashCode(key));
        double[] temperatures = [key.Temperature, .. references];
        var (full, captured, ids, details) = (new List<double>(), new List<double>(), new List<int>(), new List<TokenDetail>());
        for (var step = 0; step < tokens; step++)
        {
            var logits = Logits(random, key.Temperature);
            var token = Draw(logits, key.Temperature, random);
            foreach (var t in temperatures)
            {
                full.AddRange(ReferenceFeatures.Full(logits, t, token));
                captured.AddRange(ReferenceFeatures.Captured(logits, t, token, captureK));
            }
            ids.Add(token);
            details.Add(TokenDetail.From(logits, key.Temperature, token, TokenText));
        }
        var trace = new TokenTrace(tokens, temperatures, [.. full], [.. captured]);
        var text = string.Concat(ids.Select(TokenText));
        return (new GenerationResult(key, [.. ids], text, key.Sample % 2 == 0 ? FinishReason.Length : FinishReason.Stop, trace, "synthetic; model sha256:0; float64"), details);
    }

    private int HashCode(GenerationKey key) => key.ToString().Aggregate(seed, (hash, c) => unchecked(hash * 31 + c));

    private static float[] Logits(Random random, double temperature)
    {
        var slope = 0.6 + 2.2 * random.NextDouble() - 0.25 * temperature;
        var offset = random.Next(V);
        var logits = new float[V];
        for (var i = 0; i < V; i++) logits[(i * 7 + offset) % V] = (float)(-slope * Math.Log(1 + i) * 1.6 + 0.5 * random.NextDouble());
        return logits;
    }

    private static int Draw(float[] logits, double temperature, Random random)
    {
        var weights = logits.Select(z => Math.Exp(z / temperature)).ToArray();
        var left = random.NextDouble() * weights.Sum();
        for (var i = 0; i < V; i++)
            if ((left -= weights[i]) <= 0) return i;
        return V - 1;
    }
}
