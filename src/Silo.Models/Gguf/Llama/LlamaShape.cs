using Silo.Core;

namespace Silo.Models.Gguf.Llama;

/// <summary>The sizes of a llama model, from the file's metadata, checked.</summary>
internal sealed record LlamaShape
{
    private const string Architecture = "llama";

    public required string Name { get; init; }
    public required int Vocabulary { get; init; }
    public required int Width { get; init; }
    public required int Layers { get; init; }
    public required int Heads { get; init; }
    public required int KeyValueHeads { get; init; }
    public required int HeadSize { get; init; }
    public required int FeedForward { get; init; }
    public required int Context { get; init; }
    public required float Epsilon { get; init; }
    public required int RotaryDimensions { get; init; }
    public required double RotaryBase { get; init; }
    public required double RotaryScale { get; init; }

    /// <summary>Query heads that read one key/value head.</summary>
    public int Group => Heads / KeyValueHeads;

    /// <exception cref="SiloException">The architecture is another, a key is missing or wrong, or asks for what is not supported.</exception>
    public static LlamaShape Read(GgufFile file, int vocabulary)
    {
        var metadata = file.Metadata;
        var architecture = metadata.Text("general.architecture");
        if (architecture != Architecture)
            throw new SiloException($"{file.Path}: the architecture '{architecture}' is not supported ('{Architecture}' is)");
        string Key(string name) => $"{Architecture}.{name}";
        if (metadata.Whole(Key("expert_count"), 0, int.MaxValue, 0) > 0) throw Unsupported(file, "mixtures of experts");
        var width = metadata.Whole(Key("embedding_length"), 1, 1 << 20);
        var heads = metadata.Whole(Key("attention.head_count"), 1, 1 << 14);
        var keyValueHeads = metadata.Whole(Key("attention.head_count_kv"), 1, heads, heads);
        if (heads % keyValueHeads != 0) throw Fault(file, $"{heads} heads cannot share {keyValueHeads} key/value heads");
        if (!metadata.Has(Key("attention.key_length")) && width % heads != 0) throw Fault(file, $"a width of {width} cannot be cut into {heads} heads");
        var headSize = metadata.Whole(Key("attention.key_length"), 1, 1 << 14, width / heads);
        if (metadata.Whole(Key("attention.value_length"), 1, 1 << 14, headSize) != headSize) throw Unsupported(file, "values of another size than keys");
        if (headSize % VectorMath.Lanes != 0) throw Unsupported(file, $"a head size of {headSize} (multiples of {VectorMath.Lanes} are)");
        var rotary = metadata.Whole(Key("rope.dimension_count"), 0, headSize, headSize);
        if (rotary % VectorMath.Lanes != 0) throw Unsupported(file, $"rotation of {rotary} dimensions (multiples of {VectorMath.Lanes} are)");
        var scaling = metadata.Text(Key("rope.scaling.type"), "none");
        if (scaling is not ("none" or "linear")) throw Unsupported(file, $"rotary scaling of type '{scaling}'");
        var factor = scaling == "linear" ? metadata.Number(Key("rope.scaling.factor"), 1) : 1;
        var epsilon = metadata.Number(Key("attention.layer_norm_rms_epsilon"));
        var rotaryBase = metadata.Number(Key("rope.freq_base"), 10_000);
        if (factor <= 0 || rotaryBase <= 0 || epsilon < 0) throw Fault(file, "rope.scaling.factor, rope.freq_base or the norm's epsilon is not positive");
        return new LlamaShape
        {
            Name = metadata.Text("general.name", Path.GetFileNameWithoutExtension(file.Path)),
            Vocabulary = vocabulary,
            Width = width,
            Layers = metadata.Whole(Key("block_count"), 1, 1 << 12),
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            FeedForward = metadata.Whole(Key("feed_forward_length"), 1, 1 << 22),
            Context = metadata.Whole(Key("context_length"), 1, 1 << 20),
            Epsilon = (float)epsilon,
            RotaryDimensions = rotary,
            RotaryBase = rotaryBase,
            RotaryScale = 1 / factor,
        };
    }

    private static SiloException Fault(GgufFile file, string cause) => new($"{file.Path}: metadata: {cause}");

    private static SiloException Unsupported(GgufFile file, string what) => new($"{file.Path}: not supported: {what}");
}
