using System.Globalization;
using System.Security.Cryptography;
using Silo.Core;

namespace Silo.Models.Gguf.Llama;

/// <summary>A llama model from a GGUF file, computed in float32 by managed code.</summary>
internal sealed class LlamaModel : ILanguageModel
{
    /// <summary>Changes whenever the bits of logits do.</summary>
    private const string Engine = "silo-llama/1";

    // The same on every processor: see MatrixProduct, Attention, VectorMath.
    private const string Profile = "float32 fma";

    /// <summary>Below this size all weights stay in the caches, and threads share rows instead of panels.</summary>
    private const long CachedBytes = 48L << 20;

    private readonly long _memoryLimit;

    private LlamaModel(GgufFile file, ModelOptions options)
    {
        Tokenizer = SentencePieceTokenizer.Read(file);
        Shape = LlamaShape.Read(file, Tokenizer.VocabularySize);
        Threads = Math.Max(1, options.Threads);
        Weights = new LlamaWeights(file, Shape, Threads, options.MemoryLimit - Rotary.BytesFor(Shape.RotaryDimensions, Shape.Context));
        Rotary = new Rotary(Shape.RotaryDimensions, Shape.RotaryBase, Weights.RotaryDivisors, Shape.RotaryScale, Shape.Context);
        _memoryLimit = options.MemoryLimit - Weights.Bytes - Rotary.Bytes;
        using var stream = File.OpenRead(file.Path);
        var digest = Convert.ToHexStringLower(SHA256.HashData(stream));
        Info = new ModelInfo(Shape.Name, "llama", Weights.Parameters, Shape.Vocabulary, Shape.Context, Shape.Layers, Shape.Width, digest, Engine, Profile);
    }

    public ModelInfo Info { get; }

    public ITokenizer Tokenizer { get; }

    public int Threads { get; }

    public LlamaShape Shape { get; }

    public LlamaWeights Weights { get; }

    public Rotary Rotary { get; }

    /// <summary>Whether threads had better share the rows of a step than the panels of each product.</summary>
    public bool SharesRows => Weights.Bytes <= CachedBytes;

    public static LlamaModel Open(string path, ModelOptions options)
    {
        using var file = GgufFile.Open(path);
        return new LlamaModel(file, options);
    }

    public ISequenceBatch CreateBatch(BatchOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.RowLimit);
        var pageBytes = KeyValuePages.PageBytes(Shape);
        // Left to the model: every row may reach the context's end.
        var wanted = (long)KeyValuePages.PagesFor(Shape.Context) * (options.RowLimit + 1);
        var cache = options.CacheBytes > 0 ? options.CacheBytes : Math.Min(wanted * pageBytes, _memoryLimit);
        if (cache > _memoryLimit || cache < pageBytes)
            throw new SiloException(string.Create(CultureInfo.InvariantCulture,
                $"{Info.Name}: a key/value cache of {Math.Max(cache, pageBytes) / 1e6:0.0} MB does not fit: {Math.Max(_memoryLimit, 0) / 1e6:0.0} MB are available, a page of {KeyValuePages.Positions} tokens takes {pageBytes / 1e6:0.0} MB"));
        return new LlamaBatch(this, options, (int)Math.Min(Math.Min(wanted, cache / pageBytes), int.MaxValue));
    }

    public void Dispose()
    {
        Rotary.Dispose();
        Weights.Dispose();
    }
}
