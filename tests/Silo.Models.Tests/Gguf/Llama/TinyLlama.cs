using Silo.Core.Numerics;

namespace Silo.Models.Tests.Gguf.Llama;

/// <summary>A llama model of a few thousand random weights, as a GGUF file and as plain arrays.</summary>
internal sealed record TinyLlama
{
    public int Width { get; init; } = 40;
    public int Layers { get; init; } = 2;
    public int Heads { get; init; } = 4;
    public int KeyValueHeads { get; init; } = 2;
    public int HeadSize { get; init; } = 16;
    public int FeedForward { get; init; } = 72;
    public int Vocabulary { get; init; } = 270;
    public int Context { get; init; } = 96;
    public int RotaryDimensions { get; init; } = 16;
    public float RotaryScale { get; init; } = 1;
    public bool OwnOutput { get; init; }
    public bool RotaryFactors { get; init; }

    /// <summary>A tensor that is all zeros.</summary>
    public string? Zeros { get; init; }

    /// <summary>ggml's type number per tensor name's ending; 0 (F32) where none fits.</summary>
    public Dictionary<string, uint> Types { get; init; } = [];

    /// <summary>Metadata that replace or add to the model's own.</summary>
    public Dictionary<string, object> Keys { get; init; } = [];

    /// <summary>The weights as the file holds them, rounded to its formats.</summary>
    public Dictionary<string, float[]> Weights { get; } = new(StringComparer.Ordinal);

    public byte[] File()
    {
        var writer = new GgufWriter();
        var keys = new Dictionary<string, object>
        {
            ["general.architecture"] = "llama",
            ["general.name"] = "tiny",
            ["llama.embedding_length"] = (uint)Width,
            ["llama.block_count"] = (uint)Layers,
            ["llama.attention.head_count"] = (uint)Heads,
            ["llama.attention.head_count_kv"] = (uint)KeyValueHeads,
            ["llama.attention.key_length"] = (uint)HeadSize,
            ["llama.feed_forward_length"] = (uint)FeedForward,
            ["llama.context_length"] = (uint)Context,
            ["llama.attention.layer_norm_rms_epsilon"] = 1e-5f,
            ["llama.rope.dimension_count"] = (uint)RotaryDimensions,
            ["tokenizer.ggml.model"] = "llama",
            ["tokenizer.ggml.tokens"] = (string[])["<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>"), .. Enumerable.Range(0, Vocabulary - 259).Select(i => $"p{i}")],
            ["tokenizer.ggml.scores"] = new float[Vocabulary],
            ["tokenizer.ggml.token_type"] = (int[])[2, 3, 3, .. Enumerable.Repeat(6, 256), .. Enumerable.Repeat(1, Vocabulary - 259)],
            ["tokenizer.ggml.bos_token_id"] = 1u,
            ["tokenizer.ggml.eos_token_id"] = 2u,
            ["tokenizer.ggml.unknown_token_id"] = 0u,
        };
        if (RotaryScale != 1) (keys["llama.rope.scaling.type"], keys["llama.rope.scaling.factor"]) = ("linear", RotaryScale);
        foreach (var (key, value) in Keys) keys[key] = value;
        foreach (var (key, value) in keys) writer.Key(key, value);

        var data = new List<byte>();
        void Add(string name, params int[] sizes)
        {
            var values = Random(name, sizes.Aggregate((a, b) => a * b), sizes.Length == 1);
            if (name == Zeros) Array.Clear(values);
            var type = Types.FirstOrDefault(t => name.EndsWith(t.Key, StringComparison.Ordinal)).Value;
            while (data.Count % 32 != 0) data.Add(0);
            writer.Tensor(name, [.. sizes.Select(s => (ulong)s)], type, (ulong)data.Count);
            Weights[name] = Append(data, values, type);
        }
        Add("token_embd.weight", Width, Vocabulary);
        for (var i = 0; i < Layers; i++)
        {
            Add($"blk.{i}.attn_norm.weight", Width);
            Add($"blk.{i}.attn_q.weight", Width, Heads * HeadSize);
            Add($"blk.{i}.attn_k.weight", Width, KeyValueHeads * HeadSize);
            Add($"blk.{i}.attn_v.weight", Width, KeyValueHeads * HeadSize);
            Add($"blk.{i}.attn_output.weight", Heads * HeadSize, Width);
            Add($"blk.{i}.ffn_norm.weight", Width);
            Add($"blk.{i}.ffn_gate.weight", Width, FeedForward);
            Add($"blk.{i}.ffn_up.weight", Width, FeedForward);
            Add($"blk.{i}.ffn_down.weight", FeedForward, Width);
        }
        Add("output_norm.weight", Width);
        if (OwnOutput) Add("output.weight", Width, Vocabulary);
        if (RotaryFactors) Add("rope_freqs.weight", RotaryDimensions / 2);
        return writer.File([.. data]);
    }

    /// <summary>Opens the model from a file that is gone afterwards.</summary>
    public ILanguageModel Open(ModelOptions? options = null)
    {
        var path = Path.GetTempFileName();
        try
        {
            System.IO.File.WriteAllBytes(path, File());
            return LanguageModels.Open(path, options);
        }
        finally
        {
            System.IO.File.Delete(path);
        }
    }

    /// <summary>Logits after each token, in float64, written beside the definitions of the architecture.</summary>
    public double[][] Reference(int[] tokens)
    {
        var cache = Enumerable.Range(0, Layers).Select(_ => new List<(double[] K, double[] V)>()).ToArray();
        return [.. tokens.Select((token, position) =>
        {
            var x = Weights["token_embd.weight"].Skip(token * Width).Take(Width).Select(w => (double)w).ToArray();
            for (var l = 0; l < Layers; l++)
            {
                var h = Norm(x, $"blk.{l}.attn_norm.weight");
                var (q, k, v) = (Times($"blk.{l}.attn_q.weight", h), Times($"blk.{l}.attn_k.weight", h), Times($"blk.{l}.attn_v.weight", h));
                Rotate(q, position);
                Rotate(k, position);
                cache[l].Add((k, v));
                var attended = new double[Heads * HeadSize];
                for (var head = 0; head < Heads; head++)
                {
                    var kv = head / (Heads / KeyValueHeads) * HeadSize;
                    var scores = cache[l].Select(c => Enumerable.Range(0, HeadSize).Sum(d => q[head * HeadSize + d] * c.K[kv + d]) / Math.Sqrt(HeadSize)).ToArray();
                    var weights = scores.Select(s => Math.Exp(s - scores.Max())).ToArray();
                    for (var d = 0; d < HeadSize; d++)
                        attended[head * HeadSize + d] = weights.Select((w, t) => w * cache[l][t].V[kv + d]).Sum() / weights.Sum();
                }
                x = Plus(x, Times($"blk.{l}.attn_output.weight", attended));
                h = Norm(x, $"blk.{l}.ffn_norm.weight");
                var (gate, up) = (Times($"blk.{l}.ffn_gate.weight", h), Times($"blk.{l}.ffn_up.weight", h));
                x = Plus(x, Times($"blk.{l}.ffn_down.weight", [.. gate.Select((g, i) => g / (1 + Math.Exp(-g)) * up[i])]));
            }
            return Times(OwnOutput ? "output.weight" : "token_embd.weight", Norm(x, "output_norm.weight"));
        })];
    }

    private double[] Norm(double[] x, string weight)
    {
        var scale = 1 / Math.Sqrt(x.Sum(v => v * v) / Width + 1e-5f);
        return [.. x.Select((v, i) => v * scale * Weights[weight][i])];
    }

    private double[] Times(string matrix, double[] x)
    {
        var w = Weights[matrix];
        return [.. Enumerable.Range(0, w.Length / x.Length).Select(o => x.Select((v, k) => v * w[o * x.Length + k]).Sum())];
    }

    private void Rotate(double[] heads, int position)
    {
        for (var head = 0; head < heads.Length; head += HeadSize)
            for (var i = 0; i < RotaryDimensions / 2; i++)
            {
                var angle = position / RotaryScale * Math.Pow(10_000, -2.0 * i / RotaryDimensions) / (RotaryFactors ? Weights["rope_freqs.weight"][i] : 1);
                var (a, b) = (heads[head + 2 * i], heads[head + 2 * i + 1]);
                (heads[head + 2 * i], heads[head + 2 * i + 1]) = (a * Math.Cos(angle) - b * Math.Sin(angle), b * Math.Cos(angle) + a * Math.Sin(angle));
            }
    }

    private static double[] Plus(double[] x, double[] y) => [.. x.Select((v, i) => v + y[i])];

    private static float[] Random(string name, int count, bool vector)
    {
        var random = CounterRandom.Create(11, name);
        return [.. Enumerable.Range(0, count).Select(i => (float)(random.UniformAt((ulong)i) - .5) + (vector ? 1 : 0))];
    }

    private static float[] Append(List<byte> data, float[] values, uint type)
    {
        switch (type)
        {
            case 0:
                foreach (var v in values) data.AddRange(BitConverter.GetBytes(v));
                return values;
            case 1:
                foreach (var v in values) data.AddRange(BitConverter.GetBytes((Half)v));
                return [.. values.Select(v => (float)(Half)v)];
            case 30:
                foreach (var v in values) data.AddRange(BitConverter.GetBytes((ushort)(BitConverter.SingleToInt32Bits(v) >> 16)));
                return [.. values.Select(v => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(v) & -65536))];
            default:
                var rounded = new List<float>();
                foreach (var block in values.Chunk(32))
                {
                    var d = (Half)(block.Max(MathF.Abs) / 127);
                    data.AddRange(BitConverter.GetBytes(d));
                    foreach (var v in block)
                    {
                        var quant = (sbyte)Math.Clamp(MathF.Round(v / (float)d), -127, 127);
                        data.Add((byte)quant);
                        rounded.Add(quant * (float)d);
                    }
                }
                return [.. rounded];
        }
    }
}
