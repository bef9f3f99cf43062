using System.Collections.Concurrent;
using Silo.Core.Features;
using Silo.Experiments.Generation;

namespace Silo.Cluster.Tests.Fixtures;

/// <summary>
/// An engine whose texts and features are a function of their stream key, so that campaigns can be checked without a
/// model. It can be told to be busy, to fail, and to wait, and counts what it made.
/// </summary>
internal sealed class TestEngine(string fingerprint = "test/1; model sha256:00; exact") : IGenerationEngine
{
    private static readonly string[] Words = ["the", "old", "lamp", "sang", "over", "a", "river", "and", "we", "slept", "under", "its", "light"];
    private int calls;

    public string Fingerprint => fingerprint;

    public ConcurrentDictionary<GenerationKey, int> Made { get; } = new();

    /// <summary>Called before a request is served, with its number from 1; may throw or wait.</summary>
    public Func<int, GenerationRequest, CancellationToken, Task>? Before { get; set; }

    public async Task<IReadOnlyList<GenerationResult>> GenerateAsync(
        GenerationRequest request, Action<GenerationResult>? onResult, CancellationToken cancellationToken)
    {
        var call = Interlocked.Increment(ref calls);
        if (Before is { } before) await before(call, request, cancellationToken);
        var results = new List<GenerationResult>();
        foreach (var row in request.Rows)
        {
            var result = Make(row, request);
            Made.AddOrUpdate(row.Key, 1, (_, times) => times + 1);
            onResult?.Invoke(result);
            results.Add(result);
        }
        return results;
    }

    private GenerationResult Make(GenerationRow row, GenerationRequest request)
    {
        var state = (ulong)row.StreamKey ^ (ulong)(row.StreamKey >> 64);
        ulong Next() => state = state * 6364136223846793005 + 1442695040888963407;
        var steps = 1 + (int)(Next() % (ulong)request.MaxTokens);
        var tokens = new int[steps];
        for (var i = 0; i < steps; i++) tokens[i] = (int)((Next() >> 33) % (ulong)Words.Length);
        double[] temperatures = [row.Key.Temperature, .. request.ReferenceTemperatures];
        var full = new double[steps * temperatures.Length * TokenFeatures.FullCount];
        var captured = new double[steps * temperatures.Length * TokenFeatures.CapturedCount];
        foreach (var values in new[] { full, captured })
            for (var i = 0; i < values.Length; i++) values[i] = (Next() >> 40) / 16777216.0;
        return new GenerationResult(row.Key, tokens, string.Join(' ', tokens.Select(t => Words[t])),
            steps == request.MaxTokens ? FinishReason.Length : FinishReason.Stop,
            new TokenTrace(steps, temperatures, full, captured), fingerprint);
    }
}
