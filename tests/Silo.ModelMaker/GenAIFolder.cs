using System.Text.Json;
using System.Text.Json.Nodes;
using Silo.Models.Gguf;
using Silo.Models.Gguf.Llama;
using static Silo.ModelMaker.OnnxGraph;

namespace Silo.ModelMaker;

/// <summary>What a model folder is to hold.</summary>
internal sealed record FolderOptions
{
    /// <summary>Weights, activations and key/value cache in float16.</summary>
    public bool Half { get; init; }

    /// <summary>Outputs hidden_states.0 (the embedding) to hidden_states.L, before the final norm.</summary>
    public bool HiddenStates { get; init; }

    /// <summary>Logits of the last position alone, as pruned exports give them.</summary>
    public bool LastLogitsOnly { get; init; }

    /// <summary>A vocabulary of bytes and merges, with special tokens like Llama 3's, instead of the GGUF file's own.</summary>
    public bool ByteLevel { get; init; }

    /// <summary>A chat template, in Jinja.</summary>
    public string? ChatTemplate { get; init; }
}

/// <summary>
/// Writes a llama model of a GGUF file as the folder that ONNX Runtime GenAI reads: the graph as its model builder makes it (rotation inside
/// GroupQueryAttention, a key/value cache shared by past and present), genai_config.json and a Hugging Face tokenizer.
/// </summary>
internal static unsafe class GenAIFolder
{
    public static void Write(string gguf, string folder, FolderOptions? options = null)
    {
        options ??= new FolderOptions();
        Directory.CreateDirectory(folder);
        using var file = GgufFile.Open(gguf);
        var shape = LlamaShape.Read(file, file.Metadata.Texts("tokenizer.ggml.tokens").Length);
        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), Graph(file, shape, options));
        Write(folder, "genai_config.json", Config(file, shape, options));
        if (options.ByteLevel) ByteLevelVocabulary.Write(folder, options.ChatTemplate);
        else TokenizerFiles.Write(file, folder, options.ChatTemplate);
    }

    internal static void Write(string folder, string name, JsonNode json) =>
        File.WriteAllText(Path.Combine(folder, name), json.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");

    private static byte[] Graph(GgufFile file, LlamaShape shape, FolderOptions options)
    {
        var graph = new OnnxGraph();
        var type = options.Half ? F16 : F32;
        graph.Input("input_ids", I64, "batch_size", "sequence_length");
        graph.Input("attention_mask", I64, "batch_size", "total_sequence_length");

        // What GroupQueryAttention asks of the mask: the last position of each row, and the longest row.
        graph.Constant("one", [1], 1);
        graph.Constant("at_one", [1]);
        var lengths = graph.Node("ReduceSum", ["attention_mask", "one"], attributes: ("keepdims", 0));
        var last = graph.Node("Cast", [graph.Node("Sub", [lengths, "one"])], attributes: ("to", I32));
        var total = graph.Node("Cast", [graph.Node("Gather", [graph.Node("Shape", ["attention_mask"]), "at_one"], attributes: ("axis", 0))], attributes: ("to", I32));

        void Vector(string name) => graph.Constant(name, type, Values(file, name), shape.Width);
        string Norm(string input, string weight)
        {
            Vector(weight);
            return graph.Node("SimplifiedLayerNormalization", [input, weight], attributes: [("axis", -1), ("epsilon", shape.Epsilon), ("stash_type", 1)]);
        }
        string Times(string input, string matrix, int inputs, int outputs, int headSize = 0)
        {
            var rows = Values(file, matrix);
            var columns = new float[rows.Length];
            for (var o = 0; o < outputs; o++)
            {
                // GGUF turns neighbours in pairs, ONNX the two halves of a head.
                var row = headSize == 0 ? o : o / headSize * headSize + Paired(o % headSize, headSize);
                for (var i = 0; i < inputs; i++) columns[(long)i * outputs + o] = rows[(long)row * inputs + i];
            }
            graph.Constant(matrix, type, columns, inputs, outputs);
            return graph.Node("MatMul", [input, matrix]);
        }
        void KeepState(int layer, string state)
        {
            if (!options.HiddenStates) return;
            graph.Node("Identity", [state], $"hidden_states.{layer}");
            graph.Output($"hidden_states.{layer}", type, "batch_size", "sequence_length", shape.Width);
        }

        Rotations(graph, shape, file, type);
        graph.Constant("token_embd.weight", type, Values(file, "token_embd.weight"), shape.Vocabulary, shape.Width);
        var x = graph.Node("Gather", ["token_embd.weight", "input_ids"], attributes: ("axis", 0));
        KeepState(0, x);
        var (queries, keys) = (shape.Heads * shape.HeadSize, shape.KeyValueHeads * shape.HeadSize);
        for (var i = 0; i < shape.Layers; i++)
        {
            graph.Input($"past_key_values.{i}.key", type, "batch_size", shape.KeyValueHeads, "past_sequence_length", shape.HeadSize);
            graph.Input($"past_key_values.{i}.value", type, "batch_size", shape.KeyValueHeads, "past_sequence_length", shape.HeadSize);
            graph.Output($"present.{i}.key", type, "batch_size", shape.KeyValueHeads, "total_sequence_length", shape.HeadSize);
            graph.Output($"present.{i}.value", type, "batch_size", shape.KeyValueHeads, "total_sequence_length", shape.HeadSize);
            var h = Norm(x, $"blk.{i}.attn_norm.weight");
            var attended = graph.Nodes("GroupQueryAttention",
                [
                    Times(h, $"blk.{i}.attn_q.weight", shape.Width, queries, shape.HeadSize), Times(h, $"blk.{i}.attn_k.weight", shape.Width, keys, shape.HeadSize),
                    Times(h, $"blk.{i}.attn_v.weight", shape.Width, keys), $"past_key_values.{i}.key", $"past_key_values.{i}.value", last, total, "cos_cache", "sin_cache",
                ],
                [$"attended.{i}", $"present.{i}.key", $"present.{i}.value"],
                ("num_heads", shape.Heads), ("kv_num_heads", shape.KeyValueHeads), ("do_rotary", 1), ("rotary_interleaved", 0), ("scale", 1 / MathF.Sqrt(shape.HeadSize)))[0];
            x = graph.Node("Add", [x, Times(attended, $"blk.{i}.attn_output.weight", queries, shape.Width)]);
            h = Norm(x, $"blk.{i}.ffn_norm.weight");
            var gate = Times(h, $"blk.{i}.ffn_gate.weight", shape.Width, shape.FeedForward);
            var gated = graph.Node("Mul", [graph.Node("Mul", [gate, graph.Node("Sigmoid", [gate])]), Times(h, $"blk.{i}.ffn_up.weight", shape.Width, shape.FeedForward)]);
            x = graph.Node("Add", [x, Times(gated, $"blk.{i}.ffn_down.weight", shape.FeedForward, shape.Width)]);
            KeepState(i + 1, x);
        }
        x = Norm(x, "output_norm.weight");
        if (options.LastLogitsOnly)
        {
            graph.Constant("from", [-1], 1);
            graph.Constant("to", [long.MaxValue], 1);
            x = graph.Node("Slice", [x, "from", "to", "one"]);
        }
        var output = file.Tensors.ContainsKey("output.weight") ? "output.weight" : "token_embd.weight";
        var columns = Transposed(Values(file, output), shape.Vocabulary, shape.Width);
        graph.Constant("lm_head", type, columns, shape.Width, shape.Vocabulary);
        graph.Node("MatMul", [x, "lm_head"], "logits");
        graph.Output("logits", type, "batch_size", options.LastLogitsOnly ? 1 : "sequence_length", shape.Vocabulary);
        return graph.File();
    }

    private static JsonObject Config(GgufFile file, LlamaShape shape, FolderOptions options)
    {
        int Id(string name) => options.ByteLevel ? ByteLevelVocabulary.Id(name == "bos" ? ByteLevelVocabulary.Begin : ByteLevelVocabulary.End) : file.Metadata.Whole($"tokenizer.ggml.{name}_token_id", 0, shape.Vocabulary - 1);
        var outputs = new JsonObject { ["logits"] = "logits", ["present_key_names"] = "present.%d.key", ["present_value_names"] = "present.%d.value" };
        return new JsonObject
        {
            ["model"] = new JsonObject
            {
                ["type"] = "llama",
                ["bos_token_id"] = Id("bos"),
                ["eos_token_id"] = Id("eos"),
                ["pad_token_id"] = Id("eos"),
                ["context_length"] = shape.Context,
                ["vocab_size"] = shape.Vocabulary,
                ["decoder"] = new JsonObject
                {
                    ["session_options"] = new JsonObject { ["log_id"] = "onnxruntime-genai", ["provider_options"] = new JsonArray() },
                    ["filename"] = "model.onnx",
                    ["head_size"] = shape.HeadSize,
                    ["hidden_size"] = shape.Width,
                    ["num_attention_heads"] = shape.Heads,
                    ["num_hidden_layers"] = shape.Layers,
                    ["num_key_value_heads"] = shape.KeyValueHeads,
                    ["inputs"] = new JsonObject
                    {
                        ["input_ids"] = "input_ids",
                        ["attention_mask"] = "attention_mask",
                        ["past_key_names"] = "past_key_values.%d.key",
                        ["past_value_names"] = "past_key_values.%d.value",
                    },
                    ["outputs"] = outputs,
                },
            },
            ["search"] = new JsonObject { ["max_length"] = shape.Context, ["past_present_share_buffer"] = true, ["do_sample"] = false, ["num_beams"] = 1 },
        };
    }

    private static void Rotations(OnnxGraph graph, LlamaShape shape, GgufFile file, int type)
    {
        if (shape.RotaryDimensions != shape.HeadSize) throw new NotSupportedException("heads that are rotated in part");
        var half = shape.HeadSize / 2;
        var divisors = file.Tensors.ContainsKey("rope_freqs.weight") ? Values(file, "rope_freqs.weight") : [.. Enumerable.Repeat(1f, half)];
        var (cos, sin) = (new float[shape.Context * half], new float[shape.Context * half]);
        for (var position = 0; position < shape.Context; position++)
            for (var i = 0; i < half; i++)
            {
                var (s, c) = Math.SinCos(position * shape.RotaryScale * Math.Pow(shape.RotaryBase, -2.0 * i / shape.HeadSize) / divisors[i]);
                (cos[position * half + i], sin[position * half + i]) = ((float)c, (float)s);
            }
        graph.Constant("cos_cache", type, cos, shape.Context, half);
        graph.Constant("sin_cache", type, sin, shape.Context, half);
    }

    private static int Paired(int i, int headSize) => i < headSize / 2 ? 2 * i : 2 * (i - headSize / 2) + 1;

    private static float[] Transposed(float[] rows, int outputs, int inputs)
    {
        var columns = new float[rows.Length];
        for (var o = 0; o < outputs; o++)
            for (var i = 0; i < inputs; i++) columns[(long)i * outputs + o] = rows[(long)o * inputs + i];
        return columns;
    }

    private static float[] Values(GgufFile file, string name)
    {
        var tensor = file.Tensors[name];
        var values = new float[tensor.Count];
        for (var k = 0L; k < values.Length; k++) values[k] = PackedMatrix.Value(tensor.Type, file.Data(tensor), k);
        return values;
    }
}
