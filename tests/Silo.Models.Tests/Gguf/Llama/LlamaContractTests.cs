using Silo.Core;

namespace Silo.Models.Tests.Gguf.Llama;

public sealed class LlamaContractTests : LanguageModelContract
{
    protected override ILanguageModel Open(int threads) =>
        new TinyLlama { Width = 64, Types = { ["attn_q.weight"] = 8, ["attn_k.weight"] = 8, ["attn_v.weight"] = 8, ["embd.weight"] = 8, ["down.weight"] = 1 } }.Open(new ModelOptions { Threads = threads });

    [Fact]
    public void The_key_value_cache_keeps_its_budget_and_shares_prompts()
    {
        using var model = Open(1);
        var page = 2L * 64 * 16 * 2 * 2 * sizeof(float);
        // Six pages: a prompt of 64 fills one, shared; each row wants one of its own; one is held back for reading.
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 20, CacheBytes = 6 * page });
        var prompt = Enumerable.Repeat(5, 64).ToArray();
        Assert.False(batch.TryAdd(prompt, 20, new int[5]));
        var rows = new int[4];
        Assert.True(batch.TryAdd(prompt, 20, rows));
        Assert.False(batch.TryAdd([1], 20, new int[1]));
        foreach (var row in rows) batch.Remove(row);
        Assert.True(batch.TryAdd([1], 20, new int[5]));
        using var small = model.CreateBatch(new BatchOptions { RowLimit = 1, CacheBytes = 2 * page });
        Assert.Contains("exceeds the batch's key/value cache", Assert.Throws<SiloException>(() => small.TryAdd(prompt, 20, new int[1])).Message);
    }

    [Fact]
    public void A_cache_that_does_not_fit_into_memory_is_refused_before_anything_is_allocated()
    {
        using var model = new TinyLlama().Open(new ModelOptions { MemoryLimit = 1 << 20 });
        var e = Assert.Throws<SiloException>(() => model.CreateBatch(new BatchOptions { RowLimit = 4, CacheBytes = 1L << 40 }));
        Assert.Contains("does not fit", e.Message);
    }
}
