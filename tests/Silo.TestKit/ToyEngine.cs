using Silo.Core.Features;
using Silo.Experiments.Generation;

namespace Silo.TestKit;

/// <summary>
/// An engine whose texts and features are a function of their stream key, so that a run or a campaign can be checked
/// without a model. It can be told to be busy, to fail, to wait, and to answer something else.
/// </summary>
public sealed class ToyEngine : IGenerationEngine
{
    private static readonly string[] s_words = ["the", "old", "lamp", "sang", "over", "a", "river", "and", "we", "slept", "under", "its", "light"];
    private int _calls;

    public string Fingerprint { get; init; } = "toy/1; model sha256:00; exact";

    public int Calls => _calls;

    /// <summary>Called before a request is served, with its number from 1; may throw or wait.</summary>
    public Func<int, GenerationRequest, CancellationToken, Task>? Before { get; init; }

    /// <summary>What becomes of each answer.</summary>
    public Func<GenerationResult, GenerationResult>? Change { get; init; }

    public async Task<IReadOnlyList<GenerationResult>> GenerateAsync(
        GenerationRequest request, Action<GenerationResult>? onResult, CancellationToken cancellationToken)
    {
        var call = Interlocked.Increment(ref _calls);
        await Task.Yield();
        if (Before is not null) await Before(call, request, cancellationToken);
        var results = new List<GenerationResult>();
        foreach (var row in request.Rows)
        {
            var result = Make(row, request, Fingerprint);
            if (Change is not null) result = Change(result);
            onResult?.Invoke(result);
            results.Add(result);
        }
        return results;
    }

    private static GenerationResult Make(GenerationRow row, GenerationRequest request, string engine)
    {
        var state = (ulong)row.StreamKey ^ (ulong)(row.StreamKey >> 64);
        ulong Next() => state = state * 6364136223846793005 + 1442695040888963407;
        var steps = 1 + (int)(Next() % (ulong)request.MaxTokens);
        var tokens = new int[steps];
        for (var i = 0; i < steps; i++) tokens[i] = (int)((Next() >> 33) % (ulong)s_words.Length);
        double[] temperatures = [row.Key.Temperature, .. request.ReferenceTemperatures];
        var full = new double[steps * temperatures.Length * TokenFeatures.FullCount];
        var captured = new double[steps * temperatures.Length * TokenFeatures.CapturedCount];
        foreach (var values in new[] { full, captured })
            for (var i = 0; i < values.Length; i++) values[i] = (Next() >> 40) / 16777216.0;
        return new GenerationResult(row.Key, tokens, string.Join(' ', tokens.Select(t => s_words[t])),
            steps == request.MaxTokens ? FinishReason.Length : FinishReason.Stop,
            new TokenTrace(steps, temperatures, full, captured), engine);
    }
}
