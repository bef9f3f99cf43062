using System.Text.Json.Nodes;
using Silo.Core;
using Silo.ModelMaker;
using Silo.Models;
using Silo.Models.OnnxGenAI;

namespace Silo.OnnxGenAI.Tests;

/// <summary>What is the GenAI engine's own: folders, budgets, ends of texts, templates, failures.</summary>
public sealed class GenAIModelTests
{
    private const string Template = "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}{% endfor %}{% if add_generation_prompt %} [assistant]{% endif %}";

    [Fact]
    public void A_model_says_engine_versions_precision_and_device()
    {
        var (_, folder) = Folders.Random("states", options: new FolderOptions { HiddenStates = true });
        using var model = Folders.Open(folder);
        Assert.Matches("^silo-genai/1; onnxruntime-genai sha256:[0-9a-f]{16}; onnxruntime [0-9]+\\.[0-9.]+; model sha256:[0-9a-f]{64}; float32, cache float32, logits float32, cpu ", model.Info.Fingerprint);
        var shape = Folders.Tiny;
        Assert.Equal(("states", "llama", 4100, 96, 2, 64), (model.Info.Name, model.Info.Architecture, model.Info.VocabularySize, model.Info.ContextLength, model.Info.Layers, model.Info.Width));
        Assert.True(model.Info.Parameters > 2 * shape.Vocabulary * shape.Width);
        using var again = Folders.Open(folder, threads: 1);
        Assert.Equal(model.Info.Fingerprint, again.Info.Fingerprint);
    }

    [Fact]
    public void The_cache_keeps_its_budget_across_batches()
    {
        var (_, folder) = Folders.Random("agreement");
        // A position takes 2 blocks x 2 heads x 16 x key and value x 4 bytes; a prompt's position V logits.
        const long Position = 2 * 2 * 16 * 2 * 4, Logits = 4100 * 4;
        long Row(int prompt, int most) => ((prompt + most) * Position) + (prompt * Logits);
        using var model = LanguageModels.Open(folder, new ModelOptions { Device = ModelOptions.Cpu, MemoryLimit = WeightBytes(folder) + (4 * Row(5, 20)) });
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 8, CacheBytes = 3 * Row(5, 20) });
        Assert.False(batch.TryAdd([1, 3, 4, 5, 6], 20, new int[4]));
        Assert.Equal(0, batch.Rows);
        var rows = new int[3];
        Assert.True(batch.TryAdd([1, 3, 4, 5, 6], 20, rows));
        Assert.False(batch.TryAdd([1, 3], 1, new int[1]));
        var e = Assert.Throws<SiloException>(() => batch.TryAdd([.. Enumerable.Repeat(5, 60)], 20, new int[1]));
        Assert.Contains("more than the batch's", e.Message);
        // What this batch holds is not there for another.
        using var other = model.CreateBatch(new BatchOptions { RowLimit = 8 });
        Assert.False(other.TryAdd([1, 3, 4, 5, 6], 20, new int[2]));
        foreach (var row in rows) batch.Remove(row);
        Assert.True(other.TryAdd([1, 3, 4, 5, 6], 20, new int[4]));
        Assert.Contains("do not fit", Assert.Throws<SiloException>(() => model.CreateBatch(new BatchOptions { RowLimit = 1, CacheBytes = 1L << 40 })).Message);
        Assert.Contains("do not fit", Assert.Throws<SiloException>(() => LanguageModels.Open(folder, new ModelOptions { MemoryLimit = 1000 })).Message);
    }

    [Fact]
    public void A_batch_takes_at_most_the_rows_of_the_runtime()
    {
        var (_, folder) = Folders.Random("agreement");
        using var model = Folders.Open(folder);
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = 64 });
        Assert.Equal(32, batch.RowLimit);
        Assert.True(batch.TryAdd([1, 5], 3, new int[32]));
        Assert.False(batch.TryAdd([1, 5], 3, new int[1]));
    }

    [Fact]
    public void A_row_alone_may_go_on_after_an_end_of_text_and_rows_together_may_not()
    {
        var (gguf, folder) = Folders.Random("agreement");
        using var managed = LanguageModels.Open(gguf);
        using var model = Folders.Open(folder);
        var (expected, row) = (new float[4 * 4100], new int[1]);
        using (var batch = managed.CreateBatch(new BatchOptions { RowLimit = 1 }))
        {
            batch.TryAdd([1, 9], 4, row);
            batch.Extend(row[0], [40, 2, 50, 2], expected);
        }
        using var alone = model.CreateBatch(new BatchOptions { RowLimit = 1 });
        var actual = new float[4 * 4100];
        Assert.True(alone.TryAdd([1, 9], 5, row));
        alone.Extend(row[0], [40, 2, 50, 2], actual);
        for (var i = 0; i < actual.Length; i++) Assert.Equal(expected[i], actual[i], 1e-3f);
        Assert.Equal(actual.AsSpan(^4100..), alone.Logits(row[0]));
        alone.Step(row, [2]);
        Assert.False(actual.AsSpan(^4100..).SequenceEqual(alone.Logits(row[0])));

        using var together = model.CreateBatch(new BatchOptions { RowLimit = 2 });
        var rows = new int[2];
        Assert.True(together.TryAdd([1, 9], 4, rows));
        Assert.Contains("an end of text", Assert.Throws<SiloException>(() => together.Step(rows, [2, 5])).Message);
        together.Step(rows, [4, 5]);
        Assert.Throws<InvalidOperationException>(() => together.Step([rows[0]], [4]));
        together.Remove(rows[1]);
        together.Step([rows[0]], [4]);
        Assert.Contains("a prompt ends in token 2", Assert.Throws<SiloException>(() => model.CreateBatch(new BatchOptions { RowLimit = 1 }).TryAdd([1, 2], 1, row)).Message);
    }

    [Fact]
    public void A_prompt_stands_in_the_models_own_chat_template()
    {
        var (_, folder) = Folders.Random("chat", options: new FolderOptions { ChatTemplate = Template });
        using var model = Folders.Open(folder);
        var plain = model.Tokenizer;
        Assert.Equal([1, .. plain.EncodeContinuation(" [user] Say \"hi\"\nnow [assistant]")], plain.EncodePrompt("Say \"hi\"\nnow"));
        Assert.NotEqual(plain.EncodePrompt("now"), plain.Encode("now"));
    }

    [Fact]
    public void Half_precision_is_computed_and_said()
    {
        var (gguf, folder) = Folders.Random("half", options: new FolderOptions { Half = true });
        using var managed = LanguageModels.Open(gguf);
        using var model = Folders.Open(folder);
        Assert.Contains("float16, cache float16, logits float16", model.Info.NumericProfile);
        var row = new int[1];
        using var exact = managed.CreateBatch(new BatchOptions { RowLimit = 1 });
        using var rounded = model.CreateBatch(new BatchOptions { RowLimit = 1 });
        exact.TryAdd([1, 9, 300], 1, row);
        var expected = exact.Logits(row[0]).ToArray();
        rounded.TryAdd([1, 9, 300], 1, row);
        var actual = rounded.Logits(row[0]);
        for (var i = 0; i < actual.Length; i++) Assert.Equal(expected[i], actual[i], 0.1f);
    }

    [Fact]
    public void Memory_that_the_device_has_not_is_a_failure_of_its_own_and_the_model_goes_on()
    {
        var (_, made) = Folders.Random("agreement");
        using var copy = new Copy(made);
        copy.Change("model.context_length", 1 << 24);
        using var model = LanguageModels.Open(copy.Path, new ModelOptions { Device = ModelOptions.Cpu, MemoryLimit = long.MaxValue });
        var rows = new int[32];
        using (var batch = model.CreateBatch(new BatchOptions { RowLimit = 32 }))
        {
            Assert.True(batch.TryAdd([1, 5], (1 << 24) - 2, rows));
            var e = Assert.Throws<DeviceMemoryException>(() => { batch.Logits(rows[0]); });
            Assert.DoesNotContain('\n', e.Message);
        }
        using var small = model.CreateBatch(new BatchOptions { RowLimit = 32 });
        Assert.True(small.TryAdd([1, 5], 10, rows));
        small.Step(rows, rows.Select(r => r + 5).ToArray());
        Assert.Equal(4100, small.Logits(rows[31]).Length);
    }

    [Theory]
    [InlineData("genai_config.json", "{", "not a GenAI configuration")]
    [InlineData("genai_config.json", "{}", "model.type is missing")]
    [InlineData("model.onnx", "not a model", "no ONNX model")]
    [InlineData("model.onnx", "", "no graph with outputs")]
    [InlineData("model.onnx", null, "model.onnx")]
    [InlineData("tokenizer.json", "[]", "tokenizer")]
    [InlineData("tokenizer.json", null, "tokenizer")]
    public void A_folder_that_is_not_whole_is_said_so_in_one_line(string file, string? content, string cause)
    {
        var (_, made) = Folders.Random("agreement");
        using var copy = new Copy(made);
        if (content is null) File.Delete(Path.Combine(copy.Path, file));
        else File.WriteAllText(Path.Combine(copy.Path, file), content);
        var e = Assert.Throws<SiloException>(() => Folders.Open(copy.Path).Dispose());
        Assert.Contains(copy.Path, e.Message);
        Assert.Contains(cause, e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void A_cut_off_graph_is_refused_wherever_it_is_cut()
    {
        var (_, made) = Folders.Random("agreement");
        using var copy = new Copy(made);
        var path = Path.Combine(copy.Path, "model.onnx");
        var whole = File.ReadAllBytes(path);
        var random = new Random(1);
        for (var i = 0; i < 40; i++)
        {
            File.WriteAllBytes(path, whole[..random.Next(whole.Length)]);
            Assert.Throws<SiloException>(() => Folders.Open(copy.Path).Dispose());
        }
    }

    [Theory]
    [InlineData("model.decoder.filename", "../model.onnx", "lies outside the folder")]
    [InlineData("model.decoder.filename", "/etc/hostname", "lies outside the folder")]
    [InlineData("model.decoder.session_options.custom_ops_library", "evil.so", "native code that comes with a model is not loaded")]
    [InlineData("model.vocab_size", 4096, "model.vocab_size is 4096, and the graph gives 4100 logits")]
    [InlineData("model.decoder.head_size", 16384, "")]
    [InlineData("model.eos_token_id", 4100, "an id below 4100 was expected")]
    public void What_a_folder_may_not_ask_for_is_refused_before_the_runtime_sees_it(string name, object value, string cause)
    {
        var (_, made) = Folders.Random("agreement");
        using var copy = new Copy(made);
        copy.Change(name, value is int number ? number : (string)value);
        if (name.EndsWith("head_size", StringComparison.Ordinal)) copy.Change("model.decoder.num_key_value_heads", 16384);
        var e = Assert.Throws<SiloException>(() => Folders.Open(copy.Path).Dispose());
        Assert.Contains(copy.Path, e.Message);
        Assert.Contains(cause, e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Whatever_a_folders_files_hold_is_read_or_refused_in_one_line()
    {
        // Our own readers alone: what the runtime makes of a damaged file is its own affair.
        var (_, made) = Folders.Random("agreement");
        using var copy = new Copy(made);
        var (random, times) = (new Random(5), Environment.GetEnvironmentVariable("SILO_LONG") == "1" ? 20 : 1);
        foreach (var (file, rounds) in new[] { ("genai_config.json", 400), ("model.onnx", 150), ("tokenizer.json", 60) })
        {
            var path = Path.Combine(copy.Path, file);
            var whole = File.ReadAllBytes(path);
            for (var round = 0; round < times * rounds; round++)
            {
                var damaged = (byte[])whole.Clone();
                // The head of a graph and of a vocabulary is what is read with care; weights are passed over.
                for (var changes = random.Next(1, 6); changes > 0; changes--) damaged[random.Next(Math.Min(damaged.Length, 4_000))] = (byte)(random.Next(2) == 0 ? random.Next(256) : "0123456789\"[]{},:nul-."[random.Next(22)]);
                File.WriteAllBytes(path, damaged);
                try
                {
                    var folder = ModelFolder.Open(copy.Path);
                    TokenizerFile.Read(folder, folder.Inside("tokenizer.json"));
                }
                catch (SiloException e)
                {
                    Assert.Contains(copy.Path, e.Message);
                    Assert.DoesNotContain('\n', e.Message);
                }
            }
            File.WriteAllBytes(path, whole);
        }
    }

    [Fact]
    public void Values_of_constants_may_lie_in_files_of_the_folder_and_nowhere_else()
    {
        var (_, made) = Folders.Random("agreement");
        using var copy = new Copy(made);
        var path = Path.Combine(copy.Path, "model.onnx");
        foreach (var (file, inside) in new[] { ("weights.data", true), ("sub/../weights.data", true), ("../weights.data", false), ("/etc/hostname", false) })
        {
            // A graph's constants may follow its other parts: model { graph { initializer { dims 2, data_type float, name w, location outside, external_data } } }.
            var entry = Field(13, [.. Field(1, "location"u8), .. Field(2, System.Text.Encoding.UTF8.GetBytes(file))]);
            byte[] constant = [0x08, 2, 0x10, 1, .. Field(8, "w"u8), .. entry, 0x70, 1];
            File.WriteAllBytes(path, [.. File.ReadAllBytes(Path.Combine(made, "model.onnx")), .. Field(7, Field(5, constant))]);
            if (inside) Assert.Contains(ModelFolder.Open(copy.Path).Graph.Constants, c => c.File == file);
            else Assert.Contains("lies outside the folder", Assert.Throws<SiloException>(() => ModelFolder.Open(copy.Path)).Message);
        }

        static byte[] Field(int number, ReadOnlySpan<byte> content) => [(byte)((number << 3) | 2), (byte)content.Length, .. content];
    }

    [Fact]
    public void Half_of_a_surrogate_pair_in_a_prompt_is_no_failure()
    {
        var (_, folder) = Folders.Random("chat", options: new FolderOptions { ChatTemplate = Template });
        using var model = Folders.Open(folder);
        Assert.Equal(model.Tokenizer.EncodePrompt("a\uFFFDb"), model.Tokenizer.EncodePrompt("a\ud800b"));
    }

    [Fact]
    public void A_device_that_is_not_there_is_said_so()
    {
        var (_, folder) = Folders.Random("agreement");
        var e = Assert.Throws<SiloException>(() => LanguageModels.Open(folder, new ModelOptions { Device = ModelOptions.Cuda }).Dispose());
        Assert.Contains(folder, e.Message);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Contains("'tpu' is unknown", Assert.Throws<SiloException>(() => LanguageModels.Open(folder, new ModelOptions { Device = "tpu" })).Message);
    }

    [Fact]
    public void A_folder_made_for_cuda_can_be_opened_on_the_cpu()
    {
        var (_, made) = Folders.Random("agreement");
        using var copy = new Copy(made);
        copy.Change("model.decoder.session_options.provider_options", new JsonArray(new JsonObject { ["cuda"] = new JsonObject { ["enable_cuda_graph"] = "0" } }));
        using var model = Folders.Open(copy.Path);
        Assert.Equal(ModelOptions.Cpu, model.Device);
        Assert.Throws<SiloException>(() => LanguageModels.Open(copy.Path, new ModelOptions { Device = null }).Dispose());
    }

    private static long WeightBytes(string folder) => new FileInfo(Path.Combine(folder, "model.onnx")).Length;

    /// <summary>A copy of a folder, to be damaged.</summary>
    private sealed class Copy : IDisposable
    {
        public Copy(string folder)
        {
            Path = Directory.CreateTempSubdirectory("silo-genai-copy-").FullName;
            foreach (var file in Directory.GetFiles(folder)) File.Copy(file, System.IO.Path.Combine(Path, System.IO.Path.GetFileName(file)));
        }

        public string Path { get; }

        public void Change(string name, JsonNode value)
        {
            var file = System.IO.Path.Combine(Path, "genai_config.json");
            var root = JsonNode.Parse(File.ReadAllText(file))!;
            var at = root;
            var parts = name.Split('.');
            foreach (var part in parts[..^1]) at = at![part];
            at![parts[^1]] = value;
            File.WriteAllText(file, root.ToJsonString());
        }

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
