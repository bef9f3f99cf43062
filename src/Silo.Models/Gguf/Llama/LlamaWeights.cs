using System.Globalization;
using Silo.Core;

namespace Silo.Models.Gguf.Llama;

/// <summary>One transformer block's weights; what reads the same input is stacked.</summary>
internal sealed record LlamaBlock(NativeBuffer AttentionNorm, PackedMatrix QueryKeyValue, PackedMatrix AttentionOutput,
    NativeBuffer FeedForwardNorm, PackedMatrix GateUp, PackedMatrix Down);

/// <summary>The weights of a llama model, packed; every tensor's presence and shape is checked.</summary>
internal sealed unsafe class LlamaWeights : IDisposable
{
    private readonly GgufFile _file;
    private readonly LlamaShape _shape;
    private readonly HashSet<string> _wanted = new(StringComparer.Ordinal);
    private readonly List<IDisposable> _owned = [];

    /// <exception cref="SiloException">A tensor is missing, unknown, of another shape or not finite; or they do not fit into memory.</exception>
    public LlamaWeights(GgufFile file, LlamaShape shape, int threads, long memoryLimit)
    {
        (_file, _shape) = (file, shape);
        var (width, feed) = (shape.Width, shape.FeedForward);
        var (queries, keys) = (shape.Heads * (long)shape.HeadSize, shape.KeyValueHeads * (long)shape.HeadSize);
        // The place of each matrix is looked up, and the whole weighed, before anything is allocated.
        var plan = new List<GgufTensor[]> { Matrices(width, ("token_embd", shape.Vocabulary)) };
        var separate = file.Tensors.ContainsKey("output.weight");
        if (separate) plan.Add(Matrices(width, ("output", shape.Vocabulary)));
        for (var i = 0; i < shape.Layers; i++)
        {
            plan.Add(Matrices(width, (Name(i, "attn_q"), queries), (Name(i, "attn_k"), keys), (Name(i, "attn_v"), keys)));
            plan.Add(Matrices(queries, (Name(i, "attn_output"), width)));
            plan.Add(Matrices(width, (Name(i, "ffn_gate"), feed), (Name(i, "ffn_up"), feed)));
            plan.Add(Matrices(feed, (Name(i, "ffn_down"), width)));
            Find(Name(i, "attn_norm"), width);
            Find(Name(i, "ffn_norm"), width);
        }
        Find("output_norm", width);
        if (file.Tensors.ContainsKey("rope_freqs.weight")) Find("rope_freqs", shape.RotaryDimensions / 2);
        if (file.Tensors.Keys.FirstOrDefault(name => !_wanted.Contains(name)) is { } unknown)
            throw new SiloException($"{file.Path}: tensor \"{unknown}\" is not part of the llama architecture as supported here");
        var bytes = plan.Sum(tensors => PackedMatrix.BytesOf(tensors));
        if (bytes > memoryLimit)
            throw new SiloException(string.Create(CultureInfo.InvariantCulture,
                $"{file.Path}: the model needs {bytes / 1e9:0.00} GB of memory, {Math.Max(memoryLimit, 0) / 1e9:0.00} GB are available"));
        try
        {
            var packed = new Queue<PackedMatrix>(plan.Select(tensors => Own(PackedMatrix.Pack(file, threads, tensors))));
            Embedding = packed.Dequeue();
            Output = separate ? packed.Dequeue() : Embedding;
            for (var i = 0; i < shape.Layers; i++)
                Blocks.Add(new LlamaBlock(Vector(Name(i, "attn_norm")), packed.Dequeue(), packed.Dequeue(), Vector(Name(i, "ffn_norm")), packed.Dequeue(), packed.Dequeue()));
            OutputNorm = Vector("output_norm");
            RotaryDivisors = file.Tensors.ContainsKey("rope_freqs.weight") ? new Span<float>(Vector("rope_freqs").Floats, shape.RotaryDimensions / 2).ToArray() : [];
            if (RotaryDivisors.Any(d => !(d > 0))) throw new SiloException($"{file.Path}: tensor \"rope_freqs.weight\" has a value that is not positive");
        }
        catch
        {
            Dispose();
            throw;
        }
        Bytes = bytes;
        Parameters = file.Tensors.Values.Where(t => t.Name != "rope_freqs.weight").Sum(t => t.Count);
    }

    public PackedMatrix Embedding { get; }

    public PackedMatrix Output { get; }

    public NativeBuffer OutputNorm { get; }

    public List<LlamaBlock> Blocks { get; } = [];

    /// <summary>What each pair's rotary frequency is divided by; empty where the file has none.</summary>
    public float[] RotaryDivisors { get; }

    /// <summary>Bytes of the packed matrices.</summary>
    public long Bytes { get; }

    /// <summary>Number of weights.</summary>
    public long Parameters { get; }

    public void Dispose()
    {
        foreach (var owned in _owned) owned.Dispose();
    }

    private static string Name(int block, string part) => string.Create(CultureInfo.InvariantCulture, $"blk.{block}.{part}");

    private T Own<T>(T owned) where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    private GgufTensor[] Matrices(long inputs, params (string Name, long Outputs)[] parts) => [.. parts.Select(p => Find(p.Name, inputs, p.Outputs))];

    private GgufTensor Find(string name, params long[] sizes)
    {
        name += ".weight";
        _wanted.Add(name);
        if (!_file.Tensors.TryGetValue(name, out var tensor)) throw new SiloException($"{_file.Path}: the tensor \"{name}\" is missing");
        return tensor.Dimensions.SequenceEqual(sizes)
            ? tensor
            : throw new SiloException($"{_file.Path}: tensor \"{name}\" is {tensor.Shape}, not {string.Join(" x ", sizes)} as the metadata say");
    }

    /// <summary>A vector as float32, padded with zeros to a multiple of eight.</summary>
    private NativeBuffer Vector(string name)
    {
        var tensor = _file.Tensors[name + ".weight"];
        var vector = Own(NativeBuffer.OfFloats((tensor.Count + VectorMath.Lanes - 1) / VectorMath.Lanes * VectorMath.Lanes));
        for (var k = 0L; k < tensor.Count; k++)
        {
            vector.Floats[k] = PackedMatrix.Value(tensor.Type, _file.Data(tensor), k);
            if (!float.IsFinite(vector.Floats[k])) throw new SiloException($"{_file.Path}: tensor \"{tensor.Name}\" has a value that is infinite or NaN");
        }
        return vector;
    }
}
