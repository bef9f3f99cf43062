using Silo.Core;
using Silo.Models.Tests.Gguf.Llama;

namespace Silo.Models.Tests.Decoding;

public sealed class PerplexityTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void The_golden_logits_give_the_golden_perplexity()
    {
        using var model = LanguageModels.Open(GoldenLogits.Model("f32"));
        foreach (var golden in GoldenLogits.Cases("f32"))
        {
            var nats = 0.0;
            for (var i = 1; i < golden.Input.Length; i++)
                nats += Math.Log(golden.Logits[i - 1].Sum(z => Math.Exp(z))) - golden.Logits[i - 1][golden.Input[i]];
            var text = model.Tokenizer.Decode(golden.Input);
            Assert.Equal(golden.Input, model.Tokenizer.Encode(text));
            var result = Perplexity.Measure(model, text, null, Cancelled);
            Assert.Equal(golden.Input.Length - 1, result.Tokens);
            Assert.Equal(text.Length, result.Bytes);
            Assert.Equal(Math.Exp(nats / result.Tokens), result.TokenPerplexity, 1e-3);
            Assert.Equal(nats / Math.Log(2) / text.Length, result.BitsPerByte, 1e-4);
        }
    }

    [Fact]
    public void Windows_score_every_token_once_with_half_a_context_before_it()
    {
        using var model = LanguageModels.Open(GoldenLogits.Model("f32"));
        var text = string.Concat(Enumerable.Range(0, 120).Select(i => $"One day, Tom saw {i} birds in the tree. "));
        var tokens = model.Tokenizer.Encode(text)[1..];
        var nats = 0.0;
        for (var at = 0; at < tokens.Length;)
        {
            // By single steps: the first window holds 511 tokens after BOS, the others 255 that are known and 256 that are scored.
            var known = at == 0 ? 0 : 255;
            var count = Math.Min(at == 0 ? 511 : 256, tokens.Length - at);
            using var batch = model.CreateBatch(new BatchOptions { RowLimit = 1 });
            var row = new int[1];
            batch.TryAdd([1], 511, row);
            for (var i = at - known; i < at + count; i++)
            {
                if (i >= at) nats -= Perplexity.LogProbability(batch.Logits(row[0]), tokens[i]);
                batch.Step(row, tokens.AsSpan(i, 1));
            }
            at += count;
        }
        var result = Perplexity.Measure(model, text, null, Cancelled);
        Assert.Equal(tokens.Length, result.Tokens);
        Assert.Equal(nats / Math.Log(2) / text.Length, result.BitsPerByte, 1e-12);
    }

    [Fact]
    public void Lines_of_end_of_text_divide_documents()
    {
        Assert.Equal(["\na\n\nb\r\n", "c\n", "<|endoftext|> d"], Perplexity.Documents("\na\n\nb\r\n<|endoftext|>\r\n<|endoftext|>\nc\n<|endoftext|>\n<|endoftext|> d"));
        Assert.Equal(["a\n"], Perplexity.Documents("a\n<|endoftext|>"));
        using var model = LanguageModels.Open(GoldenLogits.Model("f32"));
        Assert.Throws<SiloException>(() => Perplexity.Measure(model, "<|endoftext|>\n", null, Cancelled));
    }

    [Theory]
    [InlineData("one\ntwo\n")]
    [InlineData("\n\none\n\n<|endoftext|>\n\ntwo ß\r\n<|endoftext|>\r\n<|endoftext|>\nthree\n\n")]
    public void Every_byte_but_those_of_the_dividing_lines_counts_once(string text)
    {
        var kept = text.Replace("<|endoftext|>\r\n", "\0", StringComparison.Ordinal).Replace("<|endoftext|>\n", "\0", StringComparison.Ordinal).Split('\0').Where(part => part.Length > 0).ToArray();
        // Logits that are all 0: every token of every document costs log2 V bits.
        using var model = new TinyLlama { Zeros = "output_norm.weight" }.Open();
        var tokens = kept.Sum(part => model.Tokenizer.Encode(part).Length - 1);
        var bytes = kept.Sum(part => System.Text.Encoding.UTF8.GetByteCount(part));
        var result = Perplexity.Measure(model, text, null, Cancelled);
        Assert.Equal((tokens, bytes), (result.Tokens, result.Bytes));
        Assert.Equal(tokens * Math.Log2(model.Info.VocabularySize) / bytes, result.BitsPerByte, 1e-9);
        Assert.Equal(model.Info.VocabularySize, result.TokenPerplexity, 1e-6);
    }
}
