using Silo.Core;
using Silo.Core.Features;
using Silo.Experiments.Generation;
using Silo.Models.Tests.Gguf.Llama;

namespace Silo.Models.Tests.Decoding;

public sealed class GenerationEngineTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Greedy_texts_equal_the_golden_ones()
    {
        using var model = LanguageModels.Open(GoldenLogits.Model("f32"));
        await using var engine = new GenerationEngine(model);
        foreach (var golden in GoldenLogits.Cases("f32"))
        {
            var prompt = model.Tokenizer.Decode(golden.Prompt);
            var result = Assert.Single(await engine.GenerateAsync(Request(prompt, 64, [0]), null, Cancelled));
            Assert.Equal(golden.Greedy, result.Tokens);
            Assert.Equal(golden.GreedyText, result.Text);
            Assert.Equal(FinishReason.Length, result.Finish);
            Assert.Equal(model.Info.Fingerprint, result.Engine);
        }
    }

    [Fact]
    public async Task A_text_depends_neither_on_batch_mates_nor_threads_nor_order_nor_place()
    {
        var requests = new[] { Request("Once upon a time", 40, [0.3, 0.8, 1.5, 0]), Request("Lily's mom said", 25, [1.5, 1.5, 0.8]), Request("a", 60, [1.2, 0.5]) };
        var alone = new List<GenerationResult>();
        using (var model = LanguageModels.Open(GoldenLogits.Model("q8_0"), new ModelOptions { Threads = 1 }))
        {
            await using var engine = new GenerationEngine(model, new GenerationEngineOptions { RowLimit = 1 });
            foreach (var request in requests) alone.AddRange(await engine.GenerateAsync(request, null, Cancelled));
        }
        foreach (var (threads, rows, cache, reverse) in new[] { (1, 64, 0L, false), (2, 64, 0L, true), (3, 2, 0L, false), (2, 5, 40 * 2L * 16 * 8 * 4 * 5 * 4, true) })
        {
            using var model = LanguageModels.Open(GoldenLogits.Model("q8_0"), new ModelOptions { Threads = threads });
            await using var engine = new GenerationEngine(model, new GenerationEngineOptions { RowLimit = rows, CacheBytes = cache });
            var tasks = (reverse ? requests.Reverse() : requests).Select(r => engine.GenerateAsync(r, null, Cancelled)).ToArray();
            var together = (await Task.WhenAll(tasks)).SelectMany(r => r).ToDictionary(r => r.Key);
            foreach (var expected in alone) AssertSame(expected, together[expected.Key]);
        }
    }

    [Fact]
    public async Task The_trace_holds_the_features_of_the_distribution_that_each_token_was_drawn_from()
    {
        using var model = LanguageModels.Open(GoldenLogits.Model("f32"));
        await using var engine = new GenerationEngine(model);
        var request = Request("Once upon a time", 20, [0.7, 0]) with { ReferenceTemperatures = [1, 1.5], CaptureK = 50 };
        foreach (var result in await engine.GenerateAsync(request, null, Cancelled))
        {
            using var batch = model.CreateBatch(new BatchOptions { RowLimit = 1 });
            var row = new int[1];
            batch.TryAdd(model.Tokenizer.Encode(request.Prompt), 20, row);
            var kernel = new FeatureKernel(512, 50);
            Assert.Equal([result.Key.Temperature == 0 ? 1 : 0.7, 1, 1.5], result.Trace.Temperatures);
            for (var step = 0; step < 20; step++)
            {
                var (full, captured) = (new double[3 * TokenFeatures.FullCount], new double[3 * TokenFeatures.CapturedCount]);
                kernel.Compute(batch.Logits(row[0]), result.Trace.Temperatures, result.Tokens[step], full, captured);
                for (var t = 0; t < 3; t++)
                {
                    Assert.Equal(full.AsSpan(t * TokenFeatures.FullCount, TokenFeatures.FullCount), result.Trace.FullRow(step, t));
                    Assert.Equal(captured.AsSpan(t * TokenFeatures.CapturedCount, TokenFeatures.CapturedCount), result.Trace.CapturedRow(step, t));
                }
                batch.Step(row, [result.Tokens[step]]);
            }
        }
    }

    [Fact]
    public async Task A_text_ends_where_the_context_does()
    {
        using var model = LanguageModels.Open(GoldenLogits.Model("f32"));
        await using var engine = new GenerationEngine(model);
        var result = Assert.Single(await engine.GenerateAsync(Request("Once upon a time", 10_000, [0.5]), null, Cancelled));
        Assert.True(result.Finish == FinishReason.Stop || result.Tokens.Length == 512 - 5);
        var longest = string.Concat(Enumerable.Repeat("Once upon a time ", 200));
        var e = await Assert.ThrowsAsync<SiloException>(() => engine.GenerateAsync(Request(longest, 5, [1]), null, Cancelled));
        Assert.Contains("no room in the context of 512", e.Message);
    }

    [Fact]
    public async Task A_full_queue_is_said_so_and_a_cancelled_request_makes_room()
    {
        using var model = LanguageModels.Open(GoldenLogits.Model("f32"));
        await using var engine = new GenerationEngine(model, new GenerationEngineOptions { RowLimit = 1, QueueLimit = 1 });
        using var first = new CancellationTokenSource();
        var accepted = new List<Task>();
        await Assert.ThrowsAsync<EngineBusyException>(async () =>
        {
            while (true)
            {
                var task = engine.GenerateAsync(Request("Once", 500, Enumerable.Repeat(1.0, 200)), null, first.Token);
                if (task.IsFaulted) await task;
                accepted.Add(task);
            }
        });
        await first.CancelAsync();
        foreach (var task in accepted) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        GenerationResult? result = null;
        while (result is null)
        {
            try { result = (await engine.GenerateAsync(Request("Once", 5, [1]), null, Cancelled))[0]; }
            catch (EngineBusyException) { await Task.Yield(); }
        }
        Assert.Equal(5, result.Tokens.Length);
    }

    [Fact]
    public async Task Stopping_finishes_what_was_accepted_and_disposing_cancels_it()
    {
        using var model = LanguageModels.Open(GoldenLogits.Model("f32"));
        var engine = new GenerationEngine(model, new GenerationEngineOptions { RowLimit = 2 });
        var seen = new List<GenerationKey>();
        var running = engine.GenerateAsync(Request("Once", 30, [1, 1, 1, 1, 1]), r => seen.Add(r.Key), Cancelled);
        await engine.StopAsync();
        Assert.Equal((await running).Select(r => r.Key).Order(Comparer<GenerationKey>.Create((a, b) => a.Sample.CompareTo(b.Sample))), seen.OrderBy(k => k.Sample));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => engine.GenerateAsync(Request("Once", 3, [1]), null, Cancelled));
        await engine.DisposeAsync();

        var other = new GenerationEngine(model);
        var endless = other.GenerateAsync(Request("Once", 500, Enumerable.Repeat(1.0, 5000)), null, Cancelled);
        await other.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => endless);
    }

    internal static GenerationRequest Request(string prompt, int maxTokens, IEnumerable<double> temperatures) => new()
    {
        Prompt = prompt,
        MaxTokens = maxTokens,
        Rows = [.. temperatures.Select((t, i) => new GenerationKey(prompt, t, i)).Select(k => new GenerationRow(k, k.StreamKey("test", 7)))],
    };

    private static void AssertSame(GenerationResult expected, GenerationResult actual)
    {
        Assert.Equal(expected.Tokens, actual.Tokens);
        Assert.Equal(expected.Text, actual.Text);
        Assert.Equal(expected.Finish, actual.Finish);
        Assert.Equal(expected.Trace.Full, actual.Trace.Full);
        Assert.Equal(expected.Trace.Captured, actual.Trace.Captured);
    }
}
