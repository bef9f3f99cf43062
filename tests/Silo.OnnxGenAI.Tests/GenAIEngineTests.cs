using Silo.Experiments.Generation;
using Silo.Models;

namespace Silo.OnnxGenAI.Tests;

/// <summary>Texts made with the runtime: batches of any prompts and temperatures, more rows than it takes at once, ends, cancellation.</summary>
public sealed class GenAIEngineTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_text_depends_neither_on_its_batch_mates_nor_on_when_they_end()
    {
        var folder = Folders.Trained();
        using var model = Folders.Open(folder);
        GenerationRequest[] requests =
        [
            Request("Once upon a time", 40, Enumerable.Repeat(0.8, 20)),
            Request("The door was open. Nobody had been there for a year, or so the neighbours said.", 25, [0.3, 0.8, 1.5, 0]),
            Request("Night", 7, Enumerable.Repeat(1.5, 40)),
        ];
        var alone = new List<GenerationResult>();
        foreach (var request in requests)
        {
            // One row at a time, and not all of them: they are many.
            await using var single = new GenerationEngine(model, new GenerationEngineOptions { RowLimit = 1 });
            alone.AddRange(await single.GenerateAsync(request with { Rows = [.. request.Rows.Take(4)] }, null, Cancelled));
        }
        await using var engine = new GenerationEngine(model);
        var together = (await Task.WhenAll(requests.Select(r => engine.GenerateAsync(r, null, Cancelled)))).SelectMany(r => r).ToDictionary(r => r.Key);
        Assert.Equal(64, together.Count);
        foreach (var expected in alone)
        {
            var actual = together[expected.Key];
            Assert.Equal(expected.Tokens, actual.Tokens);
            Assert.Equal(expected.Text, actual.Text);
            Assert.Equal(expected.Finish, actual.Finish);
            Assert.Equal(expected.Trace.Full, actual.Trace.Full);
            Assert.Equal(model.Info.Fingerprint, actual.Engine);
        }
        Assert.True(together.Values.Select(r => r.Tokens.Length).Distinct().Count() > 2);
    }

    [Fact]
    public async Task Features_are_those_of_the_logits_that_each_token_was_drawn_from()
    {
        // Reduced while the next step runs: from the logits before it.
        var folder = Folders.Trained();
        using var model = Folders.Open(folder);
        await using var engine = new GenerationEngine(model);
        var results = await engine.GenerateAsync(Request("Once upon a time", 30, [0.7, 1.2, 0]) with { CaptureK = 50, ReferenceTemperatures = [1.5] }, null, Cancelled);
        var replay = new Replay(model);
        foreach (var result in results)
        {
            var again = replay.Trace("Once upon a time", result.Tokens, result.Key.Temperature, [1.5], 50, Cancelled);
            Assert.Equal(again.Steps, result.Trace.Steps);
            // Logits of another batch shape differ in their last bits: a mass that lies at its threshold may fall to the other side of it.
            var apart = Enumerable.Range(0, again.Full.Length).Count(i => Math.Abs(again.Full[i] - result.Trace.Full[i]) > 1e-3 * Math.Max(1, Math.Abs(again.Full[i])));
            Assert.InRange(apart, 0, again.Full.Length / 200);
        }
    }

    [Fact]
    public async Task A_cancelled_request_leaves_and_the_engine_goes_on()
    {
        var folder = Folders.Trained();
        using var model = Folders.Open(folder);
        await using var engine = new GenerationEngine(model);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var first = new TaskCompletionSource();
        var long_ = engine.GenerateAsync(Request("Once", 400, Enumerable.Repeat(1.0, 20)), _ => first.TrySetResult(), cancellation.Token);
        var beside = engine.GenerateAsync(Request("Twice", 20, [0.5, 1]), _ => first.TrySetResult(), Cancelled);
        await first.Task;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => long_);
        Assert.Equal(2, (await beside).Count);
        Assert.Equal(5, (await engine.GenerateAsync(Request("Thrice", 5, [0]), null, Cancelled))[0].Tokens.Length);
    }

    [Fact]
    public async Task A_replay_beside_the_engine_waits_its_turn()
    {
        var folder = Folders.Trained();
        using var model = Folders.Open(folder);
        await using var engine = new GenerationEngine(model);
        var running = engine.GenerateAsync(Request("Once upon a time", 60, Enumerable.Repeat(1.0, 16)), null, Cancelled);
        var replay = new Replay(model);
        var tokens = replay.TokensOf("Once upon a time", ", there was a lamp.");
        var before = replay.Trace("Once upon a time", tokens, 1, [], 20, Cancelled);
        await running;
        Assert.Equal(replay.Trace("Once upon a time", tokens, 1, [], 20, Cancelled).Full, before.Full);
    }

    private static GenerationRequest Request(string prompt, int maxTokens, IEnumerable<double> temperatures) => new()
    {
        Prompt = prompt,
        MaxTokens = maxTokens,
        CaptureK = 20,
        Rows = [.. temperatures.Select((t, i) => new GenerationKey(prompt, t, i)).Select(k => new GenerationRow(k, k.StreamKey("test", 7)))],
    };
}
