using Silo.Experiments.Generation;
using Silo.Models;

namespace Silo.OnnxGenAI.Tests;

/// <summary>The same weights and the same vocabulary through both engines.</summary>
public sealed class AgreementTests
{
    private static readonly string[] s_texts =
    [
        "", " ", "  ", "\n", "a", "Once upon a time", "  two  spaces ", "The door was open.\n\nNobody came in; \"who's there?\" she asked.", "1,234.5 + 6 = ?",
        "na\u00EFve caf\u00E9 \u4E2D\u6587 \U0001F600\U0001F3FD", "\t\ttabs\r\nand returns", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "MiXeD cAsE wOrDs", "-- dashes \u2014 and \u2018quotes\u2019 \u2026",
    ];

    [Fact]
    public void Random_weights_give_logits_equal_to_a_thousandth()
    {
        var (gguf, folder) = Folders.Random("agreement");
        using var managed = LanguageModels.Open(gguf);
        using var genai = Folders.Open(folder);
        var moved = LargestDifference(managed, genai, seed: 3);
        TestContext.Current.TestOutputHelper!.WriteLine($"largest difference of a logit: {moved}");
        Assert.InRange(moved, 0, 1e-3);
    }

    [Fact]
    public void The_reference_in_float64_is_as_near()
    {
        var shape = Folders.Tiny;
        var (_, folder) = Folders.Random("agreement", shape);
        shape.File();
        using var genai = Folders.Open(folder);
        var tokens = new[] { 1, 300, 7, 4099, 12, 12, 900, 3000 };
        var expected = shape.Reference(tokens);
        using var batch = genai.CreateBatch(new BatchOptions { RowLimit = 1 });
        var row = new int[1];
        Assert.True(batch.TryAdd(tokens.AsSpan(0, 1), 7, row));
        for (var i = 0; i < tokens.Length; i++)
        {
            if (i > 0) batch.Step(row, [tokens[i]]);
            var logits = batch.Logits(row[0]);
            for (var id = 0; id < logits.Length; id++) Assert.Equal(expected[i][id], logits[id], 1e-3);
        }
    }

    [Fact]
    public void The_trained_model_gives_logits_equal_to_a_thousandth()
    {
        var folder = Folders.Trained();
        using var managed = LanguageModels.Open(Folders.Storyteller);
        using var genai = Folders.Open(folder);
        Assert.InRange(LargestDifference(managed, genai, seed: 4), 0, 1e-3);
    }

    [Fact]
    public void Both_tokenizers_give_the_same_ids_and_texts()
    {
        var folder = Folders.Trained();
        using var managed = LanguageModels.Open(Folders.Storyteller);
        using var genai = Folders.Open(folder);
        var (ours, theirs) = (managed.Tokenizer, genai.Tokenizer);
        Assert.Equal((ours.VocabularySize, ours.Bos), (theirs.VocabularySize, theirs.Bos));
        Assert.Equal(ours.EndOfText, theirs.EndOfText);
        for (var id = 0; id < ours.VocabularySize; id++)
            if (id != 0) Assert.True(ours.Bytes(id).SequenceEqual(theirs.Bytes(id)), $"token {id}");
        var random = new Random(2);
        var pieces = Enumerable.Range(0, 200).Select(_ => ours.DecodeContinuation([.. Enumerable.Range(0, 30).Select(_ => random.Next(259, ours.VocabularySize))]));
        foreach (var text in s_texts.Concat(pieces))
        {
            Assert.Equal(ours.Encode(text), theirs.Encode(text));
            Assert.Equal(ours.EncodeContinuation(text), theirs.EncodeContinuation(text));
            Assert.Equal(ours.EncodePrompt(text), theirs.EncodePrompt(text));
            Assert.Equal(text, theirs.Decode(theirs.Encode(text)));
            Assert.Equal(text, theirs.DecodeContinuation(theirs.EncodeContinuation(text)));
        }
    }

    [Fact]
    public async Task Greedy_texts_are_the_same()
    {
        var folder = Folders.Trained();
        using var managed = LanguageModels.Open(Folders.Storyteller);
        using var genai = Folders.Open(folder);
        await using var ours = new GenerationEngine(managed);
        await using var theirs = new GenerationEngine(genai);
        foreach (var prompt in new[] { "Once upon a time", "The lighthouse keeper had not spoken to anyone for a year.", "\"Run!\"" })
        {
            var expected = (await ours.GenerateAsync(Greedy(prompt), null, TestContext.Current.CancellationToken))[0];
            var actual = (await theirs.GenerateAsync(Greedy(prompt), null, TestContext.Current.CancellationToken))[0];
            Assert.Equal(expected.Text, actual.Text);
            Assert.Equal(expected.Tokens, actual.Tokens);
            Assert.Equal(expected.Finish, actual.Finish);
            Assert.Equal(expected.Trace.Steps, actual.Trace.Steps);
            for (var i = 0; i < expected.Trace.Full.Length; i++) Assert.Equal(expected.Trace.Full[i], actual.Trace.Full[i], 1e-2 * Math.Max(1, Math.Abs(expected.Trace.Full[i])));
        }
    }

    [Fact]
    public void Perplexity_is_the_same()
    {
        var folder = Folders.Trained();
        using var managed = LanguageModels.Open(Folders.Storyteller);
        using var genai = Folders.Open(folder);
        // Longer than the context: windows are taken, and rows extended by blocks.
        var text = string.Join(' ', Enumerable.Range(0, 120).Select(i => $"On day {i} the old lamp sang over a river, and we slept under its light."));
        var expected = Perplexity.Measure(managed, text, null, TestContext.Current.CancellationToken);
        var actual = Perplexity.Measure(genai, text, null, TestContext.Current.CancellationToken);
        Assert.Equal(expected.Tokens, actual.Tokens);
        Assert.Equal(expected.BitsPerByte, actual.BitsPerByte, 1e-5);
    }

    [Fact]
    public void How_far_logits_move_with_the_shape_of_the_batch_is_measured()
    {
        var folder = Folders.Trained();
        using var genai = Folders.Open(folder);
        var prompts = Enumerable.Range(0, 32).Select(i => Tokens(genai, 5 + i, seed: 50 + i)).ToArray();
        var alone = prompts.Select((p, i) => Walk(genai, [p], i)[0]).ToArray();
        foreach (var rows in new[] { 1, 2, 3, 8, 16, 32 })
        {
            var together = Walk(genai, prompts[..rows]);
            var (moved, changed) = (0f, 0);
            for (var r = 0; r < rows; r++)
                for (var i = 0; i < alone[r].Length; i++)
                {
                    moved = Math.Max(moved, Math.Abs(alone[r][i] - together[r][i]));
                    if (alone[r][i] != together[r][i]) changed++;
                }
            TestContext.Current.TestOutputHelper!.WriteLine($"{rows} rows: logits move by at most {moved}; {100.0 * changed / alone[..rows].Sum(a => a.Length):0.0} % of them move");
            if (rows == 1) Assert.Equal(0, moved);
            Assert.InRange(moved, 0, 1e-3);
        }
        // A prompt that is read at once, beside the same tokens one by one.
        var tokens = Tokens(genai, 200, seed: 9);
        using var batch = genai.CreateBatch(new BatchOptions { RowLimit = 1 });
        var (row, steps) = (new int[1], 0f);
        Assert.True(batch.TryAdd(tokens.AsSpan(0, 1), 199, row));
        for (var i = 1; i < tokens.Length; i++) batch.Step(row, [tokens[i]]);
        var last = batch.Logits(row[0]).ToArray();
        batch.Remove(row[0]);
        Assert.True(batch.TryAdd(tokens, 0, row));
        var atOnce = batch.Logits(row[0]);
        for (var i = 0; i < last.Length; i++) steps = Math.Max(steps, Math.Abs(last[i] - atOnce[i]));
        TestContext.Current.TestOutputHelper!.WriteLine($"200 tokens at once, not one by one: logits move by at most {steps}");
        Assert.InRange(steps, 0, 1e-3);
    }

    private static GenerationRequest Greedy(string prompt)
    {
        var key = new GenerationKey("p", 0, 0);
        return new GenerationRequest { Prompt = prompt, MaxTokens = 120, Rows = [new GenerationRow(key, key.StreamKey("test", 1))], CaptureK = 20 };
    }

    /// <summary>Logits after the prompt and after each of ten steps, row by row.</summary>
    private static float[][] Walk(ILanguageModel model, int[][] prompts, int first = 0)
    {
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = prompts.Length });
        var rows = prompts.Select(prompt =>
        {
            var row = new int[1];
            Assert.True(batch.TryAdd(prompt, 10, row));
            return row[0];
        }).ToArray();
        var logits = prompts.Select(_ => new List<float>()).ToArray();
        for (var step = 0; step <= 10; step++)
        {
            for (var r = 0; r < rows.Length; r++) logits[r].AddRange(batch.Logits(rows[r]));
            if (step < 10) batch.Step(rows, [.. rows.Select((_, r) => 300 + (17 * (first + r)) + step)]);
        }
        return [.. logits.Select(l => l.ToArray())];
    }

    private static float LargestDifference(ILanguageModel a, ILanguageModel b, int seed)
    {
        var prompts = Enumerable.Range(0, 4).Select(i => Tokens(a, 4 + (20 * i), seed + i)).ToArray();
        var (x, y) = (Walk(a, prompts), Walk(b, prompts));
        return x.Zip(y, (u, v) => u.Zip(v, (p, q) => Math.Abs(p - q)).Max()).Max();
    }

    private static int[] Tokens(ILanguageModel model, int count, int seed)
    {
        var random = new Random(seed);
        return [1, .. Enumerable.Range(1, count - 1).Select(_ => random.Next(3, model.Info.VocabularySize))];
    }
}
