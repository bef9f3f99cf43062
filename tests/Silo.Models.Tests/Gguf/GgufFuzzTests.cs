using FsCheck;
using FsCheck.Fluent;
using Silo.Core;
using Silo.Experiments.Generation;
using Silo.Models.Tests.Gguf.Llama;

namespace Silo.Models.Tests.Gguf;

public sealed class GgufFuzzTests
{
    private static readonly byte[] s_valid = new TinyLlama { Width = 32, Heads = 2, KeyValueHeads = 1, Layers = 1, FeedForward = 32, Types = { ["embd.weight"] = 8, ["down.weight"] = 1 } }.File();

    /// <summary>Where weights begin, roughly; before it lies what the reader has to understand.</summary>
    private const int Header = 10_000;

    [Fact]
    public void A_damaged_file_is_refused_in_one_line_or_works()
    {
        var path = Path.GetTempFileName();
        var (refused, worked) = (0, 0);
        try
        {
            var tests = Environment.GetEnvironmentVariable("SILO_LONG") == "1" ? 20_000 : 400;
            Check.One(Config.QuickThrowOnFailure.WithMaxTest(tests), Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
            {
                File.WriteAllBytes(path, Damaged(new System.Random(seed)));
                try
                {
                    Use(path);
                    worked++;
                }
                catch (SiloException e)
                {
                    Assert.DoesNotContain('\n', e.Message);
                    Assert.True(e.Message.Length < 1000);
                    refused++;
                }
            }));
        }
        finally
        {
            File.Delete(path);
        }
        Assert.True(refused > 20 && worked > 20, $"{refused} refused, {worked} worked: the damage is too much or too little");
    }

    private static byte[] Damaged(System.Random random)
    {
        var file = s_valid.ToArray();
        for (var i = random.Next(3); i >= 0; i--)
        {
            var at = random.Next(3) == 0 ? random.Next(file.Length) : random.Next(Math.Min(Header, file.Length));
            switch (random.Next(6))
            {
                case 0: file[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: file[at] = (byte)random.Next(256); break;
                case 2: Write(file, at, BitConverter.GetBytes(1UL << random.Next(64))); break;
                case 3: Write(file, at, BitConverter.GetBytes(ulong.MaxValue - (ulong)random.Next(3))); break;
                case 4: file = file[..random.Next(file.Length)]; break;
                case 5: Write(file, at, file[random.Next(file.Length)..].Take(random.Next(64)).ToArray()); break;
            }
            if (file.Length == 0) break;
        }
        return file;
    }

    private static void Write(byte[] file, int at, byte[] bytes) => bytes.AsSpan(0, Math.Min(bytes.Length, file.Length - at)).CopyTo(file.AsSpan(at));

    private static void Use(string path)
    {
        using var model = LanguageModels.Open(path, new ModelOptions { Threads = 1, MemoryLimit = 64 << 20 });
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 1, CacheBytes = 8 << 20 });
        var row = new int[1];
        var prompt = model.Tokenizer.Encode("a p1b");
        if (prompt.Length == 0 || !batch.TryAdd(prompt, 2, row)) return;
        batch.Step(row, [new Sampler(model.Info.VocabularySize).Sample(batch.Logits(row[0]), 1, new SamplerOptions(), 0.5)]);
        _ = model.Tokenizer.Decode(prompt);
    }
}
