using System.Numerics.Tensors;
using System.Security.Cryptography;
using System.Text.Json;

namespace Silo.Models.Tests.Gguf.Llama;

/// <summary>The repository's own model against the golden values beside it: float64, from the training framework.</summary>
public sealed class StorytellerTests
{
    private static string Folder => Path.Combine(Shared.Repository, "src", "Silo.Storyteller");

    [Fact]
    public void Its_logits_and_greedy_texts_equal_the_golden_ones()
    {
        var file = Path.Combine(Folder, "storyteller.gguf");
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "golden-logits.json")));
        Assert.Equal(golden.RootElement.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))));
        using var model = LanguageModels.Open(file);
        foreach (var c in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            var prompt = Ints(c.GetProperty("prompt_ids"));
            Assert.Equal(prompt, model.Tokenizer.Encode(c.GetProperty("prompt").GetString()!));
            using var batch = model.CreateBatch(new BatchOptions { RowLimit = 1 });
            var (row, input) = (new int[1], Ints(c.GetProperty("input_ids")));
            var positions = Ints(c.GetProperty("logit_positions"));
            batch.TryAdd(input.AsSpan(0, 1), input.Length - 1, row);
            for (var i = 0; i < input.Length; i++)
            {
                if (i > 0) batch.Step(row, input.AsSpan(i, 1));
                if (Array.IndexOf(positions, i) is var at && at < 0) continue;
                var expected = c.GetProperty("logits")[at].EnumerateArray().Select(z => (float)z.GetDouble()).ToArray();
                for (var v = 0; v < expected.Length; v++) Assert.Equal(expected[v], batch.Logits(row[0])[v], GoldenLogits.Tolerance);
            }
            batch.Remove(row[0]);
            Assert.True(c.GetProperty("greedy_min_gap").GetDouble() > 2 * GoldenLogits.Tolerance, "the greedy text is not clear enough to be tested");
            var greedy = Ints(c.GetProperty("greedy_ids"));
            batch.TryAdd(prompt, greedy.Length, row);
            foreach (var id in greedy)
            {
                Assert.Equal(id, TensorPrimitives.IndexOfMax(batch.Logits(row[0])));
                batch.Step(row, [id]);
            }
            Assert.Equal(c.GetProperty("greedy_text").GetString(), model.Tokenizer.DecodeContinuation(greedy));
        }
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(i => i.GetInt32())];
}
