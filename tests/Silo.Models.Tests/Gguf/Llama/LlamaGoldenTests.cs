using System.Numerics.Tensors;

namespace Silo.Models.Tests.Gguf.Llama;

public sealed class LlamaGoldenTests
{
    public static TheoryData<string> Formats => ["f32", "f16", "q8_0"];

    [Theory, MemberData(nameof(Formats))]
    public void Logits_equal_the_golden_values(string format)
    {
        using var model = LanguageModels.Open(GoldenLogits.Model(format));
        foreach (var golden in GoldenLogits.Cases(format))
        {
            using var batch = model.CreateBatch(new BatchOptions { RowLimit = 1 });
            var row = new int[1];
            Assert.True(batch.TryAdd(golden.Input.AsSpan(0, 1), golden.Input.Length - 1, row));
            for (var i = 0; i < golden.Input.Length; i++)
            {
                if (i > 0) batch.Step(row, golden.Input.AsSpan(i, 1));
                var logits = batch.Logits(row[0]);
                for (var v = 0; v < logits.Length; v++) Assert.Equal(golden.Logits[i][v], logits[v], GoldenLogits.Tolerance);
            }
        }
    }

    [Theory, MemberData(nameof(Formats))]
    public void Greedy_continuations_equal_the_golden_ones(string format)
    {
        using var model = LanguageModels.Open(GoldenLogits.Model(format));
        foreach (var golden in GoldenLogits.Cases(format))
        {
            using var batch = model.CreateBatch(new BatchOptions { RowLimit = 1 });
            var row = new int[1];
            Assert.True(batch.TryAdd(golden.Prompt, golden.Greedy.Length, row));
            var ids = new List<int>();
            for (var step = 0; step < golden.Greedy.Length; step++)
            {
                ids.Add(TensorPrimitives.IndexOfMax(batch.Logits(row[0])));
                batch.Step(row, [ids[^1]]);
            }
            Assert.Equal(golden.Greedy, ids);
            Assert.Equal(golden.GreedyText, model.Tokenizer.DecodeContinuation([.. ids]));
        }
    }

    [Fact]
    public void What_the_model_is_stands_in_its_info()
    {
        using var model = LanguageModels.Open(GoldenLogits.Model("q8_0"));
        Assert.Equal(("llama", 260_032L, 512, 512), (model.Info.Architecture, model.Info.Parameters, model.Info.VocabularySize, model.Info.ContextLength));
        Assert.Equal("5893e70db03b9e129d808b99099d8d2a55b41206eb1e409f790fcdaad6b2310e", model.Info.WeightsDigest);
    }
}
