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

    /// <summary>Most heads that go through a step together.</summary>
    private const int HeadsAtOnce = 8;

    /// <summary>Scores that are kept at once where there are more heads: half of a first-level cache.</summary>
    private const int ScoresAtOnce = 4096;

    /// <summary>Floats of scratch memory for a context.</summary>
    public static int Scratch(LlamaShape shape) => Math.Max(2 * Blocks(shape.Context) * Block, ScoresAtOnce) + HeadsAtOnce * 4 * shape.HeadSize;

    /// <summary>
    /// Writes a position's key and value heads into their place of a page. The first of a block clears the block's other values, which are read, and
    /// weighed with next to nothing, before they are written.
    /// </summary>
    /// <param name="keys">The key heads, one after the other.</param>
    /// <param name="values">The value heads.</param>
    /// <param name="to">The layer's place in the page.</param>
    /// <param name="slot">The position in the page.</param>
    /// <param name="shape">The sizes.</param>
    public static void Write(float* keys, float* values, float* to, int slot, LlamaShape shape)
    {
        nint size = shape.HeadSize, apart = KeyValuePages.Positions * size, ends = shape.KeyValueHeads * size;
        var key = to + slot / Block * Block * size + slot % Block;
        var value = to + shape.KeyValueHeads * apart + slot / 2 * 2 * size;
        for (nint head = 0; head < ends; head += size, key += apart, value += apart)
        {
            if (slot % Block == 0) new Span<float>(value, Block * (int)size).Clear();
            for (nint d = 0; d < size; d++) key[d * Block] = keys[head + d];
            for (nint d = 0; d < size; d += 8)
            {
                // As 64-bit numbers: the value of an even position is the lower half, that of the odd one after it the upper.
                var v = Vector256.Load((uint*)values + head + d);
                var (low, high) = (Vector256.WidenLower(v), Vector256.WidenUpper(v));
                var pair = (ulong*)(value + 2 * d);
                if (slot % 2 != 0) (low, high) = (Vector256.Load(pair) | low << 32, Vector256.Load(pair + 4) | high << 32);
                low.Store(pair);
                high.Store(pair + 4);
            }
        }
    }

    /// <summary>softmax(q K) V of all query heads over the first positions of a sequence.</summary>
    /// <param name="queries">The query heads, one after the other, already scaled.</param>
    /// <param name="pages">The sequence's pages.</param>
    /// <param name="offset">Floats from a page's start to the layer's place.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="count">Positions to attend to.</param>
    /// <param name="scratch"><see cref="Scratch"/> floats.</param>
    /// <param name="results">Receives the heads' results, one after the other.</param>
    public static void Attend(float* queries, nint* pages, nint offset, LlamaShape shape, int count, float* scratch, float* results)
    {
        if (WideAttention.IsSupported) AttendWide(queries, pages, offset, shape, count, scratch, results);
        else AttendInPairs(queries, pages, offset, shape, count, scratch, results);
    }

    internal static void AttendInPairs(float* queries, nint* pages, nint offset, LlamaShape shape, int count, float* scratch, float* results)
    {
        nint size = shape.HeadSize, apart = KeyValuePages.Positions * size;
        for (nint head = 0; head < shape.Heads; head += 2)
        {
            // An odd last head is computed twice.
            var second = Math.Min(head + 1, shape.Heads - 1);
            Pair(queries + head * size, queries + second * size, pages, offset + head / shape.Group * apart, offset + second / shape.Group * apart,
                shape.KeyValueHeads * apart, count, size, scratch, results + head * size, results + second * size);
        }
    }

    internal static void AttendWide(float* queries, nint* pages, nint offset, LlamaShape shape, int count, float* scratch, float* results)
    {
        nint row = Blocks(count) * Block, size = shape.HeadSize, apart = KeyValuePages.Positions * size, toValues = shape.KeyValueHeads * apart;
        var together = Math.Clamp(ScoresAtOnce / row & ~1, 2, HeadsAtOnce);
        float* shares = stackalloc float[HeadsAtOnce];
        nint* heads = stackalloc nint[HeadsAtOnce];
        for (nint first = 0; first < shape.Heads; first += together)
        {
            var last = Math.Min(shape.Heads - first, together);
            for (nint i = 0; i < last; i++) heads[i] = offset + (first + i) / shape.Group * apart;
            float* sums = scratch + last * row, to = results + first * size;
            WideAttention.Scores(queries + first * size, pages, heads, last, count, size, scratch, row);
            WideAttention.Weigh(scratch, last, row, shares);
            WideAttention.Values(scratch, pages, heads, last, toValues, row, size, shares, sums, to);
        }
    }

    /// <summary>softmax(q K) V of two query heads (side by side, which keeps the processor busy) over the first positions of a sequence.</summary>
    /// <param name="first">The first query head, already scaled.</param>
    /// <param name="second">The second.</param>
    /// <param name="pages">The sequence's pages.</param>
    /// <param name="firstOffset">Floats from a page's start to the keys that the first head reads.</param>
    /// <param name="secondOffset">The same for the second.</param>
    /// <param name="toValues">Floats from a head's keys to its values.</param>
    /// <param name="count">Positions to attend to.</param>
    /// <param name="size">Dimensions of a head.</param>
    /// <param name="scratch">Scratch memory.</param>
    /// <param name="firstTo">Receives the first head's result.</param>
    /// <param name="secondTo">Receives the second's.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pair(float* first, float* second, nint* pages, nint firstOffset, nint secondOffset, nint toValues, int count, nint size, float* scratch, float* firstTo, float* secondTo)
    {
        // Native integers throughout: the compiler's sign extensions would cost as much as the sums.
        nint blocks = Blocks(count);
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
        // A vector holds four dimensions of two neighbouring positions: 0 and 1 those of the first two of four positions, 2 and 3 those of the others.
        for (nint d = 0; d < size; d += 8)
        {
            Vector256<float> a0, a1, a2, a3, b0, b1, b2, b3;
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = Vector256<float>.Zero;
            float* x = scores, y = others;
            for (nint block = 0; block < blocks; block++)
            {
                var values = (float*)pages[block / PageBlocks] + block % PageBlocks * (Block * size) + 2 * d + firstOffset + toValues;
                var otherValues = values + (secondOffset - firstOffset);
                if (shared)
                {
                    for (var end = x + Block; x < end; x += 4, y += 4, values += 4 * size)
                    {
                        var v = Vector256.Load(values);
                        a0 = Vector256.FusedMultiplyAdd(Two(x), v, a0);
                        b0 = Vector256.FusedMultiplyAdd(Two(y), v, b0);
                        v = Vector256.Load(values + 8);
                        a1 = Vector256.FusedMultiplyAdd(Two(x), v, a1);
                        b1 = Vector256.FusedMultiplyAdd(Two(y), v, b1);
                        v = Vector256.Load(values + 2 * size);
                        a2 = Vector256.FusedMultiplyAdd(Two(x + 2), v, a2);
                        b2 = Vector256.FusedMultiplyAdd(Two(y + 2), v, b2);
                        v = Vector256.Load(values + 2 * size + 8);
                        a3 = Vector256.FusedMultiplyAdd(Two(x + 2), v, a3);
                        b3 = Vector256.FusedMultiplyAdd(Two(y + 2), v, b3);
                    }
                }
                else
                {
                    for (var end = x + Block; x < end; x += 4, y += 4, values += 4 * size, otherValues += 4 * size)
                    {
                        a0 = Vector256.FusedMultiplyAdd(Two(x), Vector256.Load(values), a0);
                        b0 = Vector256.FusedMultiplyAdd(Two(y), Vector256.Load(otherValues), b0);
                        a1 = Vector256.FusedMultiplyAdd(Two(x), Vector256.Load(values + 8), a1);
                        b1 = Vector256.FusedMultiplyAdd(Two(y), Vector256.Load(otherValues + 8), b1);
                        a2 = Vector256.FusedMultiplyAdd(Two(x + 2), Vector256.Load(values + 2 * size), a2);
                        b2 = Vector256.FusedMultiplyAdd(Two(y + 2), Vector256.Load(otherValues + 2 * size), b2);
                        a3 = Vector256.FusedMultiplyAdd(Two(x + 2), Vector256.Load(values + 2 * size + 8), a3);
                        b3 = Vector256.FusedMultiplyAdd(Two(y + 2), Vector256.Load(otherValues + 2 * size + 8), b3);
                    }
                }
            }
            StoreEven((Neighbours(a0) + Neighbours(a2)) * share, (Neighbours(a1) + Neighbours(a3)) * share, firstTo + d);
            StoreEven((Neighbours(b0) + Neighbours(b2)) * otherShare, (Neighbours(b1) + Neighbours(b3)) * otherShare, secondTo + d);
        }
    }

    /// <summary>Two weights, again and again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Two(float* weights) => Vector256.Create(*(double*)weights).AsSingle();

    /// <summary>In both lanes of each two, their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Neighbours(Vector256<float> v) => v + Vector256.Shuffle(v, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreEven(Vector256<float> low, Vector256<float> high, float* to)
    {
        var even = Vector256.Create(0, 2, 4, 6, 0, 2, 4, 6);
        Vector256.Create(Vector256.Shuffle(low, even).GetLower(), Vector256.Shuffle(high, even).GetLower()).Store(to);
    }

    /// <summary>Eight scores become e^(score - max). Those beyond the last position weigh 1e-38, which no sum shows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Weigh(float* scores, Vector256<float> max)
    {
        var weight = VectorMath.Exp(Vector256.Load(scores) - max);
        weight.Store(scores);
        return weight;
    }

    private static int Blocks(int count) => (count + Block - 1) / Block;
}
