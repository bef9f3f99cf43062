using Silo.Core;

namespace Silo.Models.Tests.Gguf.Llama;

/// <summary>What the golden model does not have, against a float64 forward pass written from the definitions.</summary>
public sealed class LlamaArchitectureTests
{
    [Theory]
    [InlineData("grouped queries of three")]
    [InlineData("an odd number of heads")]
    [InlineData("one key/value head per head")]
    [InlineData("an output matrix of its own")]
    [InlineData("rotation of a part of each head")]
    [InlineData("linear rotary scaling")]
    [InlineData("rotary factors")]
    [InlineData("bfloat16")]
    [InlineData("a mixture of formats")]
    [InlineData("Q8_0 with several tiles")]
    public void Logits_equal_the_definition(string variant)
    {
        var tiny = variant switch
        {
            "grouped queries of three" => new TinyLlama { Heads = 6 },
            "an odd number of heads" => new TinyLlama { Heads = 3, KeyValueHeads = 1, HeadSize = 24, RotaryDimensions = 24 },
            "one key/value head per head" => new TinyLlama { KeyValueHeads = 4 },
            "an output matrix of its own" => new TinyLlama { OwnOutput = true },
            "rotation of a part of each head" => new TinyLlama { RotaryDimensions = 8 },
            "linear rotary scaling" => new TinyLlama { RotaryScale = 4 },
            "rotary factors" => new TinyLlama { RotaryFactors = true },
            "bfloat16" => new TinyLlama { Types = { ["attn_q.weight"] = 30, ["attn_k.weight"] = 30, ["attn_v.weight"] = 30, ["down.weight"] = 30, ["embd.weight"] = 30 } },
            "a mixture of formats" => new TinyLlama { Width = 64, Types = { ["attn_q.weight"] = 8, ["attn_k.weight"] = 1, ["gate.weight"] = 30, ["norm.weight"] = 1 } },
            _ => new TinyLlama { Width = 160, FeedForward = 288, Types = { ["attn_q.weight"] = 8, ["attn_k.weight"] = 8, ["attn_v.weight"] = 8, ["gate.weight"] = 8, ["up.weight"] = 8, ["down.weight"] = 8, ["embd.weight"] = 8 } },
        };
        using var model = tiny.Open();
        int[] tokens = [1, .. Enumerable.Range(0, 75).Select(i => i * 37 % 270)];
        var expected = tiny.Reference(tokens);
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 1 });
        var row = new int[1];
        Assert.True(batch.TryAdd(tokens.AsSpan(0, 70), 10, row));
        for (var i = 69; i < tokens.Length; i++)
        {
            if (i > 69) batch.Step(row, tokens.AsSpan(i, 1));
            var logits = batch.Logits(row[0]);
            for (var v = 0; v < logits.Length; v++) Assert.Equal(expected[i][v], logits[v], 2e-4 * Math.Max(1, Math.Abs(expected[i][v])));
        }
    }

    [Theory]
    [InlineData("architecture", "the architecture 'gemma' is not supported")]
    [InlineData("tokenizer", "the tokenizer 'gpt2' is not supported")]
    [InlineData("experts", "not supported: mixtures of experts")]
    [InlineData("scaling", "not supported: rotary scaling of type 'yarn'")]
    [InlineData("head size", "not supported: a head size of 12")]
    [InlineData("missing key", "llama.block_count is not a whole number")]
    [InlineData("layers", "the tensor \"blk.2.attn_q.weight\" is missing")]
    [InlineData("fewer layers", "is not part of the llama architecture")]
    [InlineData("vocabulary", "tensor \"token_embd.weight\" is 40 x 270, not 40 x 271")]
    [InlineData("scores", "270 tokens but 3 scores")]
    [InlineData("bos", "tokenizer.ggml.bos_token_id is 5000, outside 0 to 269")]
    [InlineData("memory", "the model needs 0.00 GB of memory,")]
    [InlineData("infinite", "has a value that is infinite or NaN")]
    public void What_cannot_be_used_is_named_in_one_line(string fault, string cause)
    {
        var tiny = new TinyLlama();
        switch (fault)
        {
            case "architecture": tiny.Keys["general.architecture"] = "gemma"; break;
            case "tokenizer": tiny.Keys["tokenizer.ggml.model"] = "gpt2"; break;
            case "experts": tiny.Keys["llama.expert_count"] = 8u; break;
            case "scaling": tiny.Keys["llama.rope.scaling.type"] = "yarn"; break;
            case "head size": tiny.Keys["llama.attention.key_length"] = 12u; break;
            case "missing key": tiny.Keys["llama.block_count"] = "two"; break;
            case "layers": tiny.Keys["llama.block_count"] = 3u; break;
            case "fewer layers": tiny.Keys["llama.block_count"] = 1u; break;
            case "vocabulary": tiny = tiny with { Keys = new() { ["tokenizer.ggml.tokens"] = (string[])["<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>"), .. Enumerable.Range(0, 12).Select(i => $"p{i}")], ["tokenizer.ggml.scores"] = new float[271], ["tokenizer.ggml.token_type"] = (int[])[2, 3, 3, .. Enumerable.Repeat(6, 256), .. Enumerable.Repeat(1, 12)] } }; break;
            case "scores": tiny.Keys["tokenizer.ggml.scores"] = new float[3]; break;
            case "bos": tiny.Keys["tokenizer.ggml.bos_token_id"] = 5000u; break;
        }
        var file = tiny.File();
        // The last tensor's last value.
        if (fault == "infinite") BitConverter.GetBytes(float.PositiveInfinity).CopyTo(file, file.Length - 4);
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, file);
            var e = Assert.Throws<SiloException>(() => LanguageModels.Open(path, new ModelOptions { MemoryLimit = fault == "memory" ? 1000 : 1 << 30 }).Dispose());
            Assert.StartsWith(path + ": ", e.Message);
            Assert.Contains(cause, e.Message);
            Assert.DoesNotContain('\n', e.Message);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
