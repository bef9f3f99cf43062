using Silo.Experiments.Generation;
using Silo.Models.Tests.Gguf.Llama;

namespace Silo.Models.Tests.Decoding;

/// <summary>A device whose memory ends: a model that lends its rows to batches of so many, and no more.</summary>
public sealed class DeviceMemoryTests
{
    [Theory]
    [InlineData(4, 0)]
    [InlineData(4, 3)]
    [InlineData(8, 5)]
    public async Task A_batch_that_does_not_fit_is_halved_and_its_texts_are_the_same(int most, int failsAtStep)
    {
        using var model = new TinyLlama { Vocabulary = 400 }.Open();
        var request = GenerationEngineTests.Request("abc", 9, [0.5, 1, 1, 1.5, 0, 0.7, 1, 1]) with { CaptureK = 10 };
        await using var plain = new GenerationEngine(model);
        var expected = await plain.GenerateAsync(request, null, TestContext.Current.CancellationToken);
        using var small = new SmallDevice(model, most, failsAtStep);
        await using var engine = new GenerationEngine(small);
        var seen = new List<GenerationKey>();
        var actual = await engine.GenerateAsync(request, r => seen.Add(r.Key), TestContext.Current.CancellationToken);
        Assert.Equal(most < 8 ? 3 : 1, small.Batches);
        Assert.Equal(8, seen.Distinct().Count());
        Assert.Equal(8, seen.Count);
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(expected[i].Tokens, actual[i].Tokens);
            Assert.Equal(expected[i].Trace.Full, actual[i].Trace.Full);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_text_that_ended_in_the_round_that_failed_is_kept(int failsAtStep)
    {
        using var model = new TinyLlama { Vocabulary = 400 }.Open();
        GenerationRequest Make(int most, double temperature) => GenerationEngineTests.Request("abc", most, [temperature, temperature, temperature]) with { CaptureK = 10 };
        await using var plain = new GenerationEngine(model);
        var expected = new[] { await plain.GenerateAsync(Make(4, 0.9), null, TestContext.Current.CancellationToken), await plain.GenerateAsync(Make(9, 1.1), null, TestContext.Current.CancellationToken) };
        using var small = new SmallDevice(model, 4, failsAtStep);
        await using var engine = new GenerationEngine(small);
        var actual = await Task.WhenAll(engine.GenerateAsync(Make(4, 0.9), null, TestContext.Current.CancellationToken), engine.GenerateAsync(Make(9, 1.1), null, TestContext.Current.CancellationToken));
        for (var request = 0; request < 2; request++)
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal(expected[request][i].Tokens, actual[request][i].Tokens);
                Assert.Equal(expected[request][i].Trace.Full, actual[request][i].Trace.Full);
            }
    }

    [Fact]
    public async Task It_is_halved_once_and_then_fails_and_the_engine_goes_on()
    {
        using var model = new TinyLlama().Open();
        using var small = new SmallDevice(model, 2, 0);
        await using var engine = new GenerationEngine(small);
        var e = await Assert.ThrowsAsync<DeviceMemoryException>(() => engine.GenerateAsync(GenerationEngineTests.Request("abc", 4, Enumerable.Repeat(1.0, 8)), null, TestContext.Current.CancellationToken));
        Assert.Contains("not enough memory on the device", e.Message);
        Assert.Equal(2, (await engine.GenerateAsync(GenerationEngineTests.Request("abc", 4, [1, 1]), null, TestContext.Current.CancellationToken)).Count);
        Assert.Equal(4, (await engine.GenerateAsync(GenerationEngineTests.Request("abc", 4, [1, 1, 1, 1]), null, TestContext.Current.CancellationToken)).Count);
    }

    /// <summary>Opens batches that rows do not join, whose logits outlive a step, and that fail at a step where they have too many rows.</summary>
    private sealed class SmallDevice(ILanguageModel model, int most, int failsAtStep) : ILanguageModel
    {
        public int Batches { get; private set; }

        public ModelInfo Info => model.Info;

        public ITokenizer Tokenizer => model.Tokenizer;

        public int Threads => 2;

        public ISequenceBatch CreateBatch(BatchOptions options)
        {
            Batches++;
            return new Batch(model.CreateBatch(options), model.Info.VocabularySize, most, failsAtStep);
        }

        public void Dispose() { }

        private sealed class Batch(ISequenceBatch batch, int vocabulary, int most, int failsAtStep) : ISequenceBatch
        {
            private readonly Dictionary<int, float[]> _kept = [];
            private int _added, _steps;

            public int RowLimit => batch.RowLimit;

            public int Rows => batch.Rows;

            public bool RowsMayJoin => false;

            public bool TryAdd(ReadOnlySpan<int> prompt, int maxTokens, Span<int> rows)
            {
                if (_steps > 0 || !batch.TryAdd(prompt, maxTokens, rows)) return false;
                _added += rows.Length;
                return true;
            }

            public void Step(ReadOnlySpan<int> rows, ReadOnlySpan<int> tokens)
            {
                Assert.Equal(Rows, rows.Length);
                _steps++;
                Fail();
                _kept.Clear();
                batch.Step(rows, tokens);
            }

            public void Extend(int row, ReadOnlySpan<int> tokens, Span<float> logits) => batch.Extend(row, tokens, logits);

            public ReadOnlySpan<float> Logits(int row)
            {
                Fail();
                return batch.Logits(row);
            }

            public ReadOnlyMemory<float>? KeptLogits(int row)
            {
                Fail();
                if (!_kept.TryGetValue(row, out var kept)) _kept[row] = kept = batch.Logits(row).ToArray();
                Assert.Equal(vocabulary, kept.Length);
                return kept;
            }

            public ReadOnlySpan<float> HiddenStates(int row) => batch.HiddenStates(row);

            public void Remove(int row) => batch.Remove(row);

            public void Dispose() => batch.Dispose();

            private void Fail()
            {
                if (_added > most && _steps >= failsAtStep) throw new DeviceMemoryException("tried");
            }
        }
    }
}
