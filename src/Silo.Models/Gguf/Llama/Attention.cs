using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Silo.Models.Gguf.Llama;

/// <summary>
/// Causal attention of one position over a paged cache. A score is one running sum over the head's dimensions; a sum over positions is four (values) or
/// eight (denominator) running sums, by position modulo 4 or 8, added in a fixed order: the same bits however the positions came into the cache.
/// </summary>
internal static unsafe class Attention
{
    private const int Block = KeyValuePages.Block;
    private const int PageBlocks = KeyValuePages.Positions / Block;

    /// <summary>Floats of scratch memory for a context.</summary>
    public static int Scratch(int context) => 2 * Blocks(context) * Block;

    /// <summary>
    /// Writes a position's key and value heads into their place of a page. The first of a block clears the block's other values, which are read, and
    /// weighed with 0, before they are written.
    /// </summary>
    public static void Write(float* keys, float* values, float* head, int slot, int headSize)
    {
        var to = head + slot / Block * Block * headSize + slot % Block;
        for (var d = 0; d < headSize; d++) to[d * Block] = keys[d];
        var place = head + (KeyValuePages.Positions + slot) * headSize;
        if (slot % Block == 0) new Span<float>(place, Block * headSize).Clear();
        new Span<float>(values, headSize).CopyTo(new Span<float>(place, headSize));
    }

    /// <summary>softmax(q K) V of two query heads (side by side, which keeps the processor busy) over the first positions of a sequence.</summary>
    /// <param name="first">The first query head, already scaled.</param>
    /// <param name="second">The second.</param>
    /// <param name="pages">The sequence's pages.</param>
    /// <param name="firstOffset">Floats from a page's start to the keys that the first head reads.</param>
    /// <param name="secondOffset">The same for the second.</param>
    /// <param name="count">Positions to attend to.</param>
    /// <param name="headSize">Dimensions of a head.</param>
    /// <param name="scratch">Scratch memory.</param>
    /// <param name="firstTo">Receives the first head's result.</param>
    /// <param name="secondTo">Receives the second's.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Attend(float* first, float* second, nint* pages, long firstOffset, long secondOffset, int count, int headSize, float* scratch, float* firstTo, float* secondTo)
    {
        // Native integers throughout: the compiler's sign extensions would cost as much as the sums.
        nint blocks = Blocks(count), size = headSize;
        var shared = firstOffset == secondOffset;
        var scores = scratch;
        var others = scratch + blocks * Block;
        var none = Vector256.Create(float.NegativeInfinity);
        var (most, otherMost) = (none, none);
        for (nint block = 0; block < blocks; block++)
        {
            var keys = (float*)pages[block / PageBlocks] + block % PageBlocks * (Block * size) + firstOffset;
            Vector256<float> a, b, c, e;
            a = b = c = e = Vector256<float>.Zero;
            if (shared)
            {
                for (nint d = 0; d < size; d++, keys += Block)
                {
                    var (p, q, low, high) = (Vector256.Create(first[d]), Vector256.Create(second[d]), Vector256.Load(keys), Vector256.Load(keys + 8));
                    a = Vector256.FusedMultiplyAdd(p, low, a);
                    b = Vector256.FusedMultiplyAdd(p, high, b);
                    c = Vector256.FusedMultiplyAdd(q, low, c);
                    e = Vector256.FusedMultiplyAdd(q, high, e);
                }
            }
            else
            {
                var otherKeys = keys + (secondOffset - firstOffset);
                for (nint d = 0; d < size; d++, keys += Block, otherKeys += Block)
                {
                    var (p, q) = (Vector256.Create(first[d]), Vector256.Create(second[d]));
                    a = Vector256.FusedMultiplyAdd(p, Vector256.Load(keys), a);
                    b = Vector256.FusedMultiplyAdd(p, Vector256.Load(keys + 8), b);
                    c = Vector256.FusedMultiplyAdd(q, Vector256.Load(otherKeys), c);
                    e = Vector256.FusedMultiplyAdd(q, Vector256.Load(otherKeys + 8), e);
                }
            }
            if ((block + 1) * Block > count)
            {
                // Beyond the last position the cache holds nothing yet.
                var left = Vector256.Create(count - (int)block * Block);
                var (low, high) = (Vector256.LessThan(Vector256<int>.Indices, left).AsSingle(), Vector256.LessThan(Vector256<int>.Indices + Vector256.Create(8), left).AsSingle());
                (a, b) = (Vector256.ConditionalSelect(low, a, none), Vector256.ConditionalSelect(high, b, none));
                (c, e) = (Vector256.ConditionalSelect(low, c, none), Vector256.ConditionalSelect(high, e, none));
            }
            a.Store(scores + block * Block);
            b.Store(scores + block * Block + 8);
            c.Store(others + block * Block);
            e.Store(others + block * Block + 8);
            most = Vector256.MaxNative(most, Vector256.MaxNative(a, b));
            otherMost = Vector256.MaxNative(otherMost, Vector256.MaxNative(c, e));
        }

        var (max, otherMax) = (Vector256.Create(VectorMath.Max(most)), Vector256.Create(VectorMath.Max(otherMost)));
        var (total, otherTotal) = (Vector256<float>.Zero, Vector256<float>.Zero);
        for (nint i = 0; i < blocks * Block; i += Block)
        {
            total = total + Weigh(scores + i, max) + Weigh(scores + i + 8, max);
            otherTotal = otherTotal + Weigh(others + i, otherMax) + Weigh(others + i + 8, otherMax);
        }

        var (share, otherShare) = (Vector256.Create(1f / VectorMath.Sum(total)), Vector256.Create(1f / VectorMath.Sum(otherTotal)));
        for (nint d = 0; d < size; d += 8)
        {
            Vector256<float> a0, a1, a2, a3, b0, b1, b2, b3;
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = Vector256<float>.Zero;
            float* x = scores, y = others;
            for (nint block = 0; block < blocks; block++)
            {
                var values = (float*)pages[block / PageBlocks] + (KeyValuePages.Positions + block % PageBlocks * Block) * size + d + firstOffset;
                var otherValues = values + (secondOffset - firstOffset);
                if (shared)
                {
                    for (var end = x + Block; x < end; x += 4, y += 4, values += 4 * size)
                    {
                        var v = Vector256.Load(values);
                        a0 = Vector256.FusedMultiplyAdd(Vector256.Create(x[0]), v, a0);
                        b0 = Vector256.FusedMultiplyAdd(Vector256.Create(y[0]), v, b0);
                        v = Vector256.Load(values + size);
                        a1 = Vector256.FusedMultiplyAdd(Vector256.Create(x[1]), v, a1);
                        b1 = Vector256.FusedMultiplyAdd(Vector256.Create(y[1]), v, b1);
                        v = Vector256.Load(values + 2 * size);
                        a2 = Vector256.FusedMultiplyAdd(Vector256.Create(x[2]), v, a2);
                        b2 = Vector256.FusedMultiplyAdd(Vector256.Create(y[2]), v, b2);
                        v = Vector256.Load(values + 3 * size);
                        a3 = Vector256.FusedMultiplyAdd(Vector256.Create(x[3]), v, a3);
                        b3 = Vector256.FusedMultiplyAdd(Vector256.Create(y[3]), v, b3);
                    }
                }
                else
                {
                    for (var end = x + Block; x < end; x += 4, y += 4, values += 4 * size, otherValues += 4 * size)
                    {
                        a0 = Vector256.FusedMultiplyAdd(Vector256.Create(x[0]), Vector256.Load(values), a0);
                        b0 = Vector256.FusedMultiplyAdd(Vector256.Create(y[0]), Vector256.Load(otherValues), b0);
                        a1 = Vector256.FusedMultiplyAdd(Vector256.Create(x[1]), Vector256.Load(values + size), a1);
                        b1 = Vector256.FusedMultiplyAdd(Vector256.Create(y[1]), Vector256.Load(otherValues + size), b1);
                        a2 = Vector256.FusedMultiplyAdd(Vector256.Create(x[2]), Vector256.Load(values + 2 * size), a2);
                        b2 = Vector256.FusedMultiplyAdd(Vector256.Create(y[2]), Vector256.Load(otherValues + 2 * size), b2);
                        a3 = Vector256.FusedMultiplyAdd(Vector256.Create(x[3]), Vector256.Load(values + 3 * size), a3);
                        b3 = Vector256.FusedMultiplyAdd(Vector256.Create(y[3]), Vector256.Load(otherValues + 3 * size), b3);
                    }
                }
            }
            ((a0 + a1 + (a2 + a3)) * share).Store(firstTo + d);
            ((b0 + b1 + (b2 + b3)) * otherShare).Store(secondTo + d);
        }
    }

    /// <summary>Eight scores become e^(score - max); what is minus infinity must weigh nothing at all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Weigh(float* scores, Vector256<float> max)
    {
        var score = Vector256.Load(scores);
        var weight = VectorMath.Exp(score - max) & Vector256.GreaterThan(score, Vector256.Create(float.NegativeInfinity));
        weight.Store(scores);
        return weight;
    }

    private static int Blocks(int count) => (count + Block - 1) / Block;
}
