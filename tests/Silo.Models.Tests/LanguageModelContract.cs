using Silo.Core;

namespace Silo.Models.Tests;

/// <summary>What every language model must do, whatever computes it. An engine's tests derive from this.</summary>
public abstract class LanguageModelContract
{
    /// <summary>Opens a model with a context of at least 96 tokens.</summary>
    protected abstract ILanguageModel Open(int threads);

    /// <summary>How much logits may move with batch mates, block lengths and threads, over the larger of 1 and their size; 0 where their bits may not.</summary>
    protected virtual float Tolerance => 0;

    /// <summary>Whether the model gives hidden states.</summary>
    protected virtual bool GivesHiddenStates => true;

    /// <summary>Whether prompts of different lengths fit into one batch.</summary>
    protected virtual bool MixesLengths => true;

    [Fact]
    public void A_prompt_read_in_blocks_gives_the_logits_of_single_steps()
    {
        using var model = Open(2);
        var tokens = Tokens(model, 90, 1);
        var expected = BySteps(model, tokens);
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 1 });
        foreach (var length in new[] { 1, 2, 15, 16, 17, 63, 64, 65, 90 })
        {
            var row = Add(batch, tokens.AsSpan(0, length), 1, 1)[0];
            AssertSame(expected[length - 1], batch.Logits(row));
            batch.Remove(row);
        }
    }

    [Fact]
    public void Many_tokens_at_once_give_the_logits_of_single_steps()
    {
        using var model = Open(1);
        var tokens = Tokens(model, 90, 2);
        var expected = BySteps(model, tokens);
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 1 });
        var row = Add(batch, tokens.AsSpan(0, 3), 90, 1)[0];
        var logits = new float[80 * model.Info.VocabularySize];
        batch.Extend(row, tokens.AsSpan(3, 80), logits);
        for (var i = 0; i < 80; i++) AssertSame(expected[3 + i], logits.AsSpan(i * model.Info.VocabularySize, model.Info.VocabularySize));
        AssertSame(expected[82], batch.Logits(row));
        batch.Step([row], [tokens[83]]);
        AssertSame(expected[83], batch.Logits(row));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Logits_depend_on_a_rows_own_tokens_alone(int threads)
    {
        // Prompts of different lengths, several rows of each, stepping in changing company, some leaving early, others joining.
        using var model = Open(threads);
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 9 });
        var random = new Random(5);
        var texts = new Dictionary<int, List<int>>();
        var expected = new List<(List<int> Tokens, float[] Logits)>();
        void Join(int length, int rows, int seed)
        {
            var prompt = Tokens(model, length, seed);
            foreach (var row in Add(batch, prompt, 30, rows)) texts[row] = [.. prompt];
        }
        Join(5, 3, 1);
        Join(MixesLengths ? 50 : 5, 4, 2);
        for (var step = 0; step < 25; step++)
        {
            var rows = texts.Keys.Where(_ => random.Next(3) > 0 || !batch.RowsMayJoin).ToArray();
            random.Shuffle(rows);
            var tokens = rows.Select(_ => random.Next(3, model.Info.VocabularySize)).ToArray();
            batch.Step(rows, tokens);
            for (var i = 0; i < rows.Length; i++)
            {
                texts[rows[i]].Add(tokens[i]);
                if (step % 4 == 0) expected.Add(([.. texts[rows[i]]], batch.Logits(rows[i]).ToArray()));
            }
            if (step is 8 or 12)
            {
                foreach (var row in texts.Keys.Where(row => row % 3 == step % 3).ToArray())
                {
                    batch.Remove(row);
                    texts.Remove(row);
                }
                if (batch.RowsMayJoin) Join(20 + step, 2, step);
            }
        }
        Assert.True(expected.Count > 20);
        foreach (var (tokens, logits) in expected) AssertSame(BySteps(model, [.. tokens])[^1], logits);
    }

    [Fact]
    public void Rows_and_tokens_beyond_the_limits_are_refused()
    {
        using var model = Open(1);
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 2 });
        var context = model.Info.ContextLength;
        Assert.Throws<SiloException>(() => batch.TryAdd(new int[context], 1, new int[1]));
        Assert.Throws<SiloException>(() => batch.TryAdd([], 1, new int[1]));
        Assert.Throws<SiloException>(() => batch.TryAdd([model.Info.VocabularySize], 1, new int[1]));
        Assert.Throws<SiloException>(() => batch.TryAdd([-1], 1, new int[1]));
        Assert.False(batch.TryAdd([1], 1, new int[3]));
        var row = Add(batch, Tokens(model, context - 1, 3), 1, 1)[0];
        Assert.Equal(1, batch.Rows);
        Assert.Throws<SiloException>(() => batch.Step([row], [model.Info.VocabularySize]));
        batch.Step([row], [3]);
        Assert.Throws<InvalidOperationException>(() => batch.Step([row], [3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => { batch.Logits(1 - row); });
        batch.Remove(row);
        Assert.Equal(0, batch.Rows);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Remove(row));
    }

    [Fact]
    public void Hidden_states_are_those_of_the_last_token()
    {
        using var model = Open(1);
        using var plain = model.CreateBatch(new BatchOptions { RowLimit = 1 });
        var other = Add(plain, Tokens(model, 4, 1), 4, 1)[0];
        Assert.Throws<NotSupportedException>(() => { plain.HiddenStates(other); });
        if (!GivesHiddenStates) return;
        var tokens = Tokens(model, 40, 4);
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 3, KeepHiddenStates = true });
        var rows = Add(batch, tokens.AsSpan(0, 39), 2, 2);
        AssertSame(batch.HiddenStates(rows[0]).ToArray(), batch.HiddenStates(rows[1]));
        batch.Step(rows, [tokens[39], 7]);
        using var another = model.CreateBatch(new BatchOptions { RowLimit = 1, KeepHiddenStates = true });
        var alone = Add(another, tokens, 1, 1)[0];
        Assert.Equal((1 + model.Info.Layers) * model.Info.Width, another.HiddenStates(alone).Length);
        AssertSame(another.HiddenStates(alone).ToArray(), batch.HiddenStates(rows[0]));
        Assert.NotEqual(another.HiddenStates(alone)[0], batch.HiddenStates(rows[1])[0]);
        another.Remove(alone);
        var extended = Add(another, tokens.AsSpan(0, 30), 10, 1)[0];
        another.Extend(extended, tokens.AsSpan(30), new float[10 * model.Info.VocabularySize]);
        AssertSame(batch.HiddenStates(rows[0]).ToArray(), another.HiddenStates(extended));
    }

    [Fact]
    public void Logits_that_are_kept_outlive_the_step_that_follows()
    {
        using var model = Open(1);
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 3 });
        var rows = Add(batch, Tokens(model, 7, 6), 3, 3);
        if (batch.KeptLogits(rows[1]) is not { } kept) return;
        var expected = batch.Logits(rows[1]).ToArray();
        Assert.Equal(expected, kept.Span);
        batch.Step(rows, [5, 6, 7]);
        Assert.Equal(expected, kept.Span);
        Assert.NotEqual(expected, batch.Logits(rows[1]).ToArray());
        var (last, lastExpected) = (batch.KeptLogits(rows[2])!.Value, batch.Logits(rows[2]).ToArray());
        foreach (var row in rows) batch.Remove(row);
        Assert.Equal(lastExpected, last.Span);
    }

    [Fact]
    public void Several_batches_may_be_open_and_take_turns()
    {
        using var model = Open(2);
        var tokens = Tokens(model, 30, 7);
        var expected = BySteps(model, tokens);
        var batches = Enumerable.Range(0, 3).Select(i => model.CreateBatch(new BatchOptions { RowLimit = 1 + i })).ToArray();
        var rows = batches.Select((b, i) => Add(b, tokens.AsSpan(0, 10), 20, 1 + i)).ToArray();
        // From several threads at once, each batch being for one.
        Parallel.For(0, batches.Length, b =>
        {
            for (var i = 10; i < 30; i++) batches[b].Step(rows[b], [.. Enumerable.Repeat(tokens[i], rows[b].Length)]);
        });
        for (var b = 0; b < batches.Length; b++)
            foreach (var row in rows[b]) AssertSame(expected[29], batches[b].Logits(row));
        foreach (var batch in batches) batch.Dispose();
    }

    [Fact]
    public void A_batch_whose_rows_have_all_left_can_be_filled_again()
    {
        using var model = Open(1);
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 2 });
        foreach (var length in new[] { 4, 20 })
        {
            var tokens = Tokens(model, length, length);
            var rows = Add(batch, tokens, 2, 2);
            batch.Step(rows, [8, 9]);
            AssertSame(BySteps(model, [.. tokens, 9])[^1], batch.Logits(rows[1]));
            foreach (var row in rows) batch.Remove(row);
            Assert.Equal(0, batch.Rows);
        }
    }

    [Fact]
    public void A_tokenizers_ids_lie_within_the_vocabulary_and_decode_to_the_text()
    {
        using var model = Open(1);
        const string Text = "Hello, world!\n\u00E9\u4E2D\U0001F600  two";
        var ids = model.Tokenizer.Encode(Text);
        Assert.All(ids, id => Assert.InRange(id, 0, model.Info.VocabularySize - 1));
        Assert.Equal(Text, model.Tokenizer.Decode(ids));
        Assert.Equal(Text, model.Tokenizer.DecodeContinuation(model.Tokenizer.EncodeContinuation(Text)));
        Parallel.For(0, 50, _ => Assert.Equal(ids, model.Tokenizer.Encode(Text)));
    }

    protected void AssertSame(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        if (Tolerance == 0)
        {
            Assert.True(expected.SequenceEqual(actual));
            return;
        }
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], Tolerance * Math.Max(1, Math.Abs(expected[i])));
    }

    private static int[] Add(ISequenceBatch batch, ReadOnlySpan<int> prompt, int maxTokens, int count)
    {
        var rows = new int[count];
        Assert.True(batch.TryAdd(prompt, maxTokens, rows));
        return rows;
    }

    private static int[] Tokens(ILanguageModel model, int count, int seed)
    {
        var random = new Random(seed);
        return [model.Tokenizer.Bos ?? 3, .. Enumerable.Range(1, count - 1).Select(_ => random.Next(3, model.Info.VocabularySize))];
    }

    private static List<float[]> BySteps(ILanguageModel model, int[] tokens)
    {
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 1 });
        var row = Add(batch, tokens.AsSpan(0, 1), tokens.Length - 1, 1);
        var logits = new List<float[]> { batch.Logits(row[0]).ToArray() };
        foreach (var token in tokens.Skip(1))
        {
            batch.Step(row, [token]);
            logits.Add(batch.Logits(row[0]).ToArray());
        }
        return logits;
    }
}
