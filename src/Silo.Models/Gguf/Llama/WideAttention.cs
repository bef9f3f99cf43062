using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Silo.Models.Gguf.Llama;

/// <summary>
/// <see cref="Attention"/> in 512-bit vectors, with the same bits: what differs is only which of its sums stand side by side. Some heads go through each step
/// together, page by page: query heads that share keys find them in the first-level cache, and the end of one head's sums does not wait for itself.
/// </summary>
internal static unsafe class WideAttention
{
    private const int Block = KeyValuePages.Block;
    private const int Positions = KeyValuePages.Positions;

    /// <summary>Whether this machine has the vectors.</summary>
    public static bool IsSupported => Avx512F.IsSupported && Vector512.IsHardwareAccelerated;

    /// <summary>The scores of some heads, [head][row], minus infinity beyond the last position.</summary>
    /// <param name="queries">The heads' queries.</param>
    /// <param name="pages">The sequence's pages.</param>
    /// <param name="heads">Each head's place in a page.</param>
    /// <param name="last">Number of heads.</param>
    /// <param name="count">Positions.</param>
    /// <param name="size">Dimensions of a head.</param>
    /// <param name="scores">Receives the scores.</param>
    /// <param name="row">Floats between heads' scores: whole blocks.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scores(float* queries, nint* pages, nint* heads, nint last, nint count, nint size, float* scores, nint row)
    {
        // The least of this and a score: the score, or minus infinity in the lanes beyond the last position.
        var inside = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create((int)((count - 1) % Block + 1)));
        var keep = Vector512.ConditionalSelect(inside.AsSingle(), Vector512.Create(float.PositiveInfinity), Vector512.Create(float.NegativeInfinity));
        for (; count > 0; count -= Positions, scores += Positions, pages++)
            for (nint head = 0; head < last;)
            {
                var (query, keys, to) = ((nint)(queries + head * size), (nint)((float*)*pages + heads[head]), (nint)(scores + head * row));
                var pair = head + 1 < last && heads[head] == heads[head + 1];
                if (pair) Pair((float*)query, (float*)keys, count, size, (float*)to, row, keep);
                else One((float*)query, (float*)keys, count, size, (float*)to, keep);
                head += pair ? 2 : 1;
            }
    }

    /// <summary>A page's scores of two heads that read the same keys: two blocks at once, also where only the first is in use.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pair(float* query, float* keys, nint count, nint size, float* to, nint row, Vector512<float> keep)
    {
        for (nint left = Math.Min(count, Positions); left > 0; left -= 2 * Block, to += 2 * Block, keys += Block * size)
        {
            Vector512<float> a, b, c, d;
            a = b = c = d = Vector512<float>.Zero;
            for (nint k = 0; k < size; k++, keys += Block)
            {
                Vector512<float> low = Vector512.Load(keys), high = Vector512.Load(keys + Block * size);
                var q = Vector512.Create(query[k]);
                a = Vector512.FusedMultiplyAdd(q, low, a);
                b = Vector512.FusedMultiplyAdd(q, high, b);
                q = Vector512.Create(query[size + k]);
                c = Vector512.FusedMultiplyAdd(q, low, c);
                d = Vector512.FusedMultiplyAdd(q, high, d);
            }
            if (left < Block) (a, c) = (Vector512.MinNative(a, keep), Vector512.MinNative(c, keep));
            a.Store(to);
            c.Store(to + row);
            if (left <= Block) return;
            if (left < 2 * Block) (b, d) = (Vector512.MinNative(b, keep), Vector512.MinNative(d, keep));
            b.Store(to + Block);
            d.Store(to + row + Block);
        }
    }

    /// <summary>A page's scores of one head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void One(float* query, float* keys, nint count, nint size, float* to, Vector512<float> keep)
    {
        for (nint left = Math.Min(count, Positions); left > 0; left -= 2 * Block, to += 2 * Block, keys += Block * size)
        {
            Vector512<float> a, b;
            a = b = Vector512<float>.Zero;
            for (nint k = 0; k < size; k++, keys += Block)
            {
                var q = Vector512.Create(query[k]);
                a = Vector512.FusedMultiplyAdd(q, Vector512.Load(keys), a);
                b = Vector512.FusedMultiplyAdd(q, Vector512.Load(keys + Block * size), b);
            }
            if (left < Block) a = Vector512.MinNative(a, keep);
            a.Store(to);
            if (left <= Block) return;
            if (left < 2 * Block) b = Vector512.MinNative(b, keep);
            b.Store(to + Block);
        }
    }

    /// <summary>Scores become e^(score - max); <paramref name="shares"/> the inverses of their sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Weigh(float* scores, nint last, nint row, float* shares)
    {
        for (nint head = 0; head < last; head++)
        {
            var most = Vector512.Load(scores);
            for (nint i = Block; i < row; i += Block) most = Vector512.MaxNative(most, Vector512.Load(scores + i));
            shares[head] = VectorMath.Max(Vector256.MaxNative(most.GetLower(), most.GetUpper()));
            scores += row;
        }
        scores -= last * row;
        for (nint head = 0; head < last; head++)
        {
            var max = Vector512.Create(shares[head]);
            var total = Vector256<float>.Zero;
            for (var end = scores + row; scores < end; scores += Block)
            {
                var weight = VectorMath.Exp(Vector512.Load(scores) - max);
                weight.Store(scores);
                total = total + weight.GetLower() + weight.GetUpper();
            }
            shares[head] = 1f / VectorMath.Sum(total);
        }
    }

    /// <summary>The heads' weighted values. A vector holds eight dimensions of two neighbouring positions.</summary>
    /// <param name="weights">Of the positions, [head][row].</param>
    /// <param name="pages">The sequence's pages.</param>
    /// <param name="heads">Each head's place in a page.</param>
    /// <param name="last">Number of heads.</param>
    /// <param name="toValues">Floats from a head's keys to its values.</param>
    /// <param name="row">Floats between heads' weights.</param>
    /// <param name="size">Dimensions of a head.</param>
    /// <param name="shares">What each head's sums are multiplied by.</param>
    /// <param name="sums">Scratch memory: 4 x size floats for each head.</param>
    /// <param name="to">Receives the results, [head][size].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Values(float* weights, nint* pages, nint* heads, nint last, nint toValues, nint row, nint size, float* shares, float* sums, float* to)
    {
        for (nint from = 0; from < row; from += Positions, weights += Positions, pages++)
            for (nint head = 0; head < last;)
            {
                var (values, end) = ((nint)((float*)*pages + heads[head] + toValues), Math.Min(row - from, Positions));
                var pair = head + 1 < last && heads[head] == heads[head + 1];
                for (nint d = 0; d < size; d += 8)
                {
                    var (v, sum) = ((nint)((float*)values + 2 * d), (nint)(sums + 4 * (head * size + d)));
                    if (pair) Pair(weights + head * row, row, (float*)v, size, end, (float*)sum, from == 0);
                    else One(weights + head * row, (float*)v, size, end, (float*)sum, from == 0);
                }
                head += pair ? 2 : 1;
            }
        for (nint head = 0; head < last; head++)
            for (nint d = 0; d < size; d += 8, sums += 32, to += 8)
            {
                Vector512<float> a = Vector512.Load(sums), b = Vector512.Load(sums + 16);
                // The sums of even and of odd positions lie side by side.
                a = (a + Avx512F.Permute4x32(a, 0b10_11_00_01) + (b + Avx512F.Permute4x32(b, 0b10_11_00_01))) * Vector512.Create(shares[head]);
                Avx512F.PermuteVar16x32(a, Vector512.Create(0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14)).GetLower().Store(to);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pair(float* weights, nint row, float* values, nint size, nint end, float* sums, bool fresh)
    {
        var others = sums + 4 * size;
        Vector512<float> a, b, c, d;
        if (fresh) a = b = c = d = Vector512<float>.Zero;
        else (a, b, c, d) = (Vector512.Load(sums), Vector512.Load(sums + 16), Vector512.Load(others), Vector512.Load(others + 16));
        for (var stop = weights + end; weights < stop; weights += 4, values += 4 * size)
        {
            Vector512<float> v = Vector512.Load(values), w = Vector512.Load(values + 2 * size);
            a = Vector512.FusedMultiplyAdd(Two(weights), v, a);
            c = Vector512.FusedMultiplyAdd(Two(weights + row), v, c);
            b = Vector512.FusedMultiplyAdd(Two(weights + 2), w, b);
            d = Vector512.FusedMultiplyAdd(Two(weights + row + 2), w, d);
        }
        a.Store(sums);
        b.Store(sums + 16);
        c.Store(others);
        d.Store(others + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void One(float* weights, float* values, nint size, nint end, float* sums, bool fresh)
    {
        Vector512<float> a, b;
        if (fresh) a = b = Vector512<float>.Zero;
        else (a, b) = (Vector512.Load(sums), Vector512.Load(sums + 16));
        for (var stop = weights + end; weights < stop; weights += 4, values += 4 * size)
        {
            a = Vector512.FusedMultiplyAdd(Two(weights), Vector512.Load(values), a);
            b = Vector512.FusedMultiplyAdd(Two(weights + 2), Vector512.Load(values + 2 * size), b);
        }
        a.Store(sums);
        b.Store(sums + 16);
    }

    /// <summary>Two weights, again and again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Two(float* weights) => Vector512.Create(*(double*)weights).AsSingle();
}
