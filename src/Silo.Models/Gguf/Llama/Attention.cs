using System.Runtime.Intrinsics;

namespace Silo.Models.Gguf.Llama;

/// <summary>
/// Causal attention of one position over a paged cache. A score is one running sum over the head's dimensions; a sum over positions is four (value) or
/// eight (denominator) running sums, by position modulo 4 or 8, added in a fixed order: the same bits however the positions came into the cache.
/// </summary>
internal static unsafe class Attention
{
    private const int Positions = KeyValuePages.Positions;

    /// <summary>Floats of scratch memory for a context.</summary>
    public static int Scratch(int context) => KeyValuePages.PagesFor(context) * Positions;

    /// <summary>Writes a position's key and value heads into their page.</summary>
    public static void Write(float* keys, float* values, float* head, int slot, int headSize)
    {
        for (var d = 0; d < headSize; d++) head[d * Positions + slot] = keys[d];
        Buffer.MemoryCopy(values, head + Positions * headSize + slot * headSize, headSize * sizeof(float), headSize * sizeof(float));
    }

    /// <summary>softmax(q K) V of one query head, already scaled, over the first <paramref name="count"/> positions.</summary>
    /// <param name="query">The query head.</param>
    /// <param name="pages">The sequence's pages.</param>
    /// <param name="offset">Floats from a page's start to this layer's and head's keys.</param>
    /// <param name="count">Positions to attend to.</param>
    /// <param name="headSize">Dimensions of a head.</param>
    /// <param name="scores">Scratch memory.</param>
    /// <param name="to">Receives the head's result.</param>
    public static void Attend(float* query, nint* pages, long offset, int count, int headSize, float* scores, float* to)
    {
        var pageCount = KeyValuePages.PagesFor(count);
        var most = Vector256.Create(float.NegativeInfinity);
        for (var page = 0; page < pageCount; page++)
        {
            var keys = (float*)pages[page] + offset;
            var (low, high) = (Vector256<float>.Zero, Vector256<float>.Zero);
            for (var d = 0; d < headSize; d++, keys += Positions)
            {
                var q = Vector256.Create(query[d]);
                low = Vector256.FusedMultiplyAdd(q, Vector256.Load(keys), low);
                high = Vector256.FusedMultiplyAdd(q, Vector256.Load(keys + 8), high);
            }
            low.Store(scores + page * Positions);
            high.Store(scores + page * Positions + 8);
            if (page < pageCount - 1) most = Vector256.MaxNative(most, Vector256.MaxNative(low, high));
        }
        for (var i = count; i < pageCount * Positions; i++) scores[i] = float.NegativeInfinity;
        var last = scores + (pageCount - 1) * Positions;
        most = Vector256.MaxNative(most, Vector256.MaxNative(Vector256.Load(last), Vector256.Load(last + 8)));

        var max = Vector256.Create(VectorMath.Max(most));
        var total = Vector256<float>.Zero;
        for (var i = 0; i < pageCount * Positions; i += 8)
        {
            var e = VectorMath.Exp(Vector256.Load(scores + i) - max);
            e.Store(scores + i);
            total += e;
        }
        var share = Vector256.Create(1f / VectorMath.Sum(total));
        for (var d = 0; d < headSize; d += 8)
        {
            Vector256<float> a, b, c, e;
            a = b = c = e = Vector256<float>.Zero;
            for (var page = 0; page < pageCount; page++)
            {
                var values = (float*)pages[page] + offset + Positions * headSize + d;
                var weights = scores + page * Positions;
                for (var i = 0; i < Positions; i += 4, values += 4 * headSize)
                {
                    a = Vector256.FusedMultiplyAdd(Vector256.Create(weights[i]), Vector256.Load(values), a);
                    b = Vector256.FusedMultiplyAdd(Vector256.Create(weights[i + 1]), Vector256.Load(values + headSize), b);
                    c = Vector256.FusedMultiplyAdd(Vector256.Create(weights[i + 2]), Vector256.Load(values + 2 * headSize), c);
                    e = Vector256.FusedMultiplyAdd(Vector256.Create(weights[i + 3]), Vector256.Load(values + 3 * headSize), e);
                }
            }
            ((a + b + (c + e)) * share).Store(to + d);
        }
    }
}
