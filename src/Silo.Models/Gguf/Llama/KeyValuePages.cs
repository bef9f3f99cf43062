namespace Silo.Models.Gguf.Llama;

/// <summary>
/// The key/value cache in pages of 16 positions, all layers together. In a page lie, for each layer and key/value head, the keys as [dimension][16
/// positions] and the values as [16 positions][dimension], float32. Pages are allocated when first needed, up to a limit, and used again.
/// </summary>
internal sealed unsafe class KeyValuePages(LlamaShape shape, int limit) : IDisposable
{
    /// <summary>Positions in a page.</summary>
    public const int Positions = 16;

    private readonly List<NativeBuffer> _all = [];
    private readonly Stack<nint> _free = new();

    /// <summary>Floats of one layer and head in a page: its keys, then its values.</summary>
    public int HeadFloats { get; } = 2 * Positions * shape.HeadSize;

    /// <summary>Most pages.</summary>
    public int Limit { get; } = limit;

    /// <summary>Pages promised to prompts and rows.</summary>
    public int Reserved { get; set; }

    public static long PageBytes(LlamaShape shape) => 2L * Positions * shape.HeadSize * shape.KeyValueHeads * shape.Layers * sizeof(float);

    public static int PagesFor(int positions) => (positions + Positions - 1) / Positions;

    public float* KeysOf(nint page, int layer, int head) => (float*)page + (layer * (long)shape.KeyValueHeads + head) * HeadFloats;

    public nint Take()
    {
        if (_free.TryPop(out var page)) return page;
        var fresh = new NativeBuffer(PageBytes(shape));
        _all.Add(fresh);
        return (nint)fresh.Pointer;
    }

    public void Give(nint page) => _free.Push(page);

    public void Copy(nint from, nint to)
    {
        var bytes = PageBytes(shape);
        Buffer.MemoryCopy((void*)from, (void*)to, bytes, bytes);
    }

    public void Dispose()
    {
        foreach (var page in _all) page.Dispose();
    }
}
