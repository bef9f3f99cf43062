namespace Silo.Models.Gguf.Llama;

/// <summary>
/// The key/value cache in pages of 64 positions, all layers together. In a page lie, for each layer, the keys as [head][4 blocks][dimension][16 positions],
/// then the values as [head][32 pairs of positions][dimension][2], float32. Pages are allocated when first needed, up to a limit, and used again.
/// </summary>
internal sealed unsafe class KeyValuePages(LlamaShape shape, int limit) : IDisposable
{
    /// <summary>Positions in a page.</summary>
    public const int Positions = 64;

    /// <summary>Positions in a block of keys.</summary>
    public const int Block = 16;

    /// <summary>Pages come from slabs of this size, which huge memory pages can hold.</summary>
    private const long SlabBytes = 4 << 20;

    private readonly List<NativeBuffer> _slabs = [];
    private readonly Stack<nint> _free = new();
    private int _slabLeft;

    /// <summary>Most pages.</summary>
    public int Limit { get; } = limit;

    /// <summary>Pages promised to prompts and rows.</summary>
    public int Reserved { get; set; }

    public static long PageBytes(LlamaShape shape) => 2L * Positions * shape.HeadSize * shape.KeyValueHeads * shape.Layers * sizeof(float);

    public static int PagesFor(int positions) => (positions + Positions - 1) / Positions;

    /// <summary>A page with anything in it: <see cref="Attention.Write"/> clears what is read before it is written.</summary>
    public nint Take()
    {
        if (_free.TryPop(out var page)) return page;
        if (_slabLeft == 0)
        {
            _slabLeft = (int)Math.Clamp(SlabBytes / PageBytes(shape), 1, Math.Max(1, Limit));
            _slabs.Add(new NativeBuffer(PageBytes(shape) * _slabLeft, clear: false));
        }
        return (nint)(_slabs[^1].Pointer + _slabs[^1].Bytes - PageBytes(shape) * _slabLeft--);
    }

    public void Give(nint page) => _free.Push(page);

    /// <summary>Copies the first positions of a page, in whole blocks.</summary>
    public void Copy(nint from, nint to, int positions)
    {
        var (head, used) = (Positions * shape.HeadSize, (positions + Block - 1) / Block * Block * shape.HeadSize);
        for (var part = 0; part < 2 * shape.Layers * shape.KeyValueHeads; part++)
            new Span<float>((float*)from + (long)part * head, used).CopyTo(new Span<float>((float*)to + (long)part * head, used));
    }

    public void Dispose()
    {
        foreach (var slab in _slabs) slab.Dispose();
    }
}
