using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Silo.Models.Gguf.Llama;

/// <summary>
/// Products of rows with a <see cref="PackedMatrix"/>. Each result is one running sum over the inputs in their order, by fused multiply-adds; lanes are
/// outputs. So its bits depend neither on the number of rows, nor on how panels are shared among threads, nor on the vector width.
/// </summary>
internal static unsafe class MatrixProduct
{
    private const int Width = PackedMatrix.Width;
    private const int Depth = PackedMatrix.TileDepth;

    /// <summary>Floats of scratch memory that a call needs.</summary>
    public const int Scratch = 2 * Depth * Width;

    /// <summary>
    /// y[r][o] = sum over k of x[r][k] w[o][k], or y[r][o] plus that, for the outputs of panels first..last (exclusive) and all rows.
    /// </summary>
    /// <param name="w">The weights.</param>
    /// <param name="x">Rows of inputs.</param>
    /// <param name="xStride">Floats between rows of x.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="y">Rows of results, as wide as whole panels.</param>
    /// <param name="yStride">Floats between rows of y.</param>
    /// <param name="add">Whether to go on from what y holds.</param>
    /// <param name="first">First panel.</param>
    /// <param name="last">Panel after the last.</param>
    /// <param name="scratch"><see cref="Scratch"/> floats.</param>
    public static void Multiply(PackedMatrix w, float* x, int xStride, int rows, float* y, int yStride, bool add, int first, int last, float* scratch)
    {
        if (rows == 1)
        {
            // Two panels at once: eight running sums hide the latency of the additions.
            for (; first + 2 <= last; first += 2)
                for (var from = 0; from < w.Inputs; from += Depth)
                {
                    var to = Math.Min(from + Depth, w.Inputs);
                    var (left, right) = ((nint)w.Tile(first, from, to, scratch), (nint)w.Tile(first + 1, from, to, scratch + Depth * Width));
                    OneRowTwoPanels((float*)left, (float*)right, to - from, x + from, y + first * Width, add || from > 0);
                }
        }
        for (var panel = first; panel < last; panel++)
            for (var from = 0; from < w.Inputs; from += Depth)
            {
                var to = Math.Min(from + Depth, w.Inputs);
                Rows(w.Tile(panel, from, to, scratch), to - from, x + from, xStride, rows, y + panel * Width, yStride, add || from > 0);
            }
    }

    private static void Rows(float* w, int depth, float* x, int xStride, int rows, float* y, int yStride, bool add)
    {
        for (; rows >= 3; rows -= 3, x += 3L * xStride, y += 3L * yStride)
            ThreeRows(w, depth, x, x + xStride, x + 2L * xStride, y, y + yStride, y + 2L * yStride, add);
        if (rows == 2) TwoRows(w, depth, x, x + xStride, y, y + yStride, add);
        else if (rows == 1) OneRow(w, depth, x, y, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ThreeRows(float* w, int depth, float* x0, float* x1, float* x2, float* y0, float* y1, float* y2, bool add)
    {
        Vector256<float> a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3;
        if (add)
        {
            (a0, a1, a2, a3) = (Vector256.Load(y0), Vector256.Load(y0 + 8), Vector256.Load(y0 + 16), Vector256.Load(y0 + 24));
            (b0, b1, b2, b3) = (Vector256.Load(y1), Vector256.Load(y1 + 8), Vector256.Load(y1 + 16), Vector256.Load(y1 + 24));
            (c0, c1, c2, c3) = (Vector256.Load(y2), Vector256.Load(y2 + 8), Vector256.Load(y2 + 16), Vector256.Load(y2 + 24));
        }
        else
        {
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = c0 = c1 = c2 = c3 = Vector256<float>.Zero;
        }
        for (var k = 0; k < depth; k++, w += Width)
        {
            var (p, q, r) = (Vector256.Create(x0[k]), Vector256.Create(x1[k]), Vector256.Create(x2[k]));
            var v = Vector256.Load(w);
            a0 = Vector256.FusedMultiplyAdd(p, v, a0);
            b0 = Vector256.FusedMultiplyAdd(q, v, b0);
            c0 = Vector256.FusedMultiplyAdd(r, v, c0);
            v = Vector256.Load(w + 8);
            a1 = Vector256.FusedMultiplyAdd(p, v, a1);
            b1 = Vector256.FusedMultiplyAdd(q, v, b1);
            c1 = Vector256.FusedMultiplyAdd(r, v, c1);
            v = Vector256.Load(w + 16);
            a2 = Vector256.FusedMultiplyAdd(p, v, a2);
            b2 = Vector256.FusedMultiplyAdd(q, v, b2);
            c2 = Vector256.FusedMultiplyAdd(r, v, c2);
            v = Vector256.Load(w + 24);
            a3 = Vector256.FusedMultiplyAdd(p, v, a3);
            b3 = Vector256.FusedMultiplyAdd(q, v, b3);
            c3 = Vector256.FusedMultiplyAdd(r, v, c3);
        }
        a0.Store(y0);
        a1.Store(y0 + 8);
        a2.Store(y0 + 16);
        a3.Store(y0 + 24);
        b0.Store(y1);
        b1.Store(y1 + 8);
        b2.Store(y1 + 16);
        b3.Store(y1 + 24);
        c0.Store(y2);
        c1.Store(y2 + 8);
        c2.Store(y2 + 16);
        c3.Store(y2 + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoRows(float* w, int depth, float* x0, float* x1, float* y0, float* y1, bool add)
    {
        Vector256<float> a0, a1, a2, a3, b0, b1, b2, b3;
        if (add)
        {
            (a0, a1, a2, a3) = (Vector256.Load(y0), Vector256.Load(y0 + 8), Vector256.Load(y0 + 16), Vector256.Load(y0 + 24));
            (b0, b1, b2, b3) = (Vector256.Load(y1), Vector256.Load(y1 + 8), Vector256.Load(y1 + 16), Vector256.Load(y1 + 24));
        }
        else
        {
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = Vector256<float>.Zero;
        }
        for (var k = 0; k < depth; k++, w += Width)
        {
            var (p, q) = (Vector256.Create(x0[k]), Vector256.Create(x1[k]));
            var v = Vector256.Load(w);
            a0 = Vector256.FusedMultiplyAdd(p, v, a0);
            b0 = Vector256.FusedMultiplyAdd(q, v, b0);
            v = Vector256.Load(w + 8);
            a1 = Vector256.FusedMultiplyAdd(p, v, a1);
            b1 = Vector256.FusedMultiplyAdd(q, v, b1);
            v = Vector256.Load(w + 16);
            a2 = Vector256.FusedMultiplyAdd(p, v, a2);
            b2 = Vector256.FusedMultiplyAdd(q, v, b2);
            v = Vector256.Load(w + 24);
            a3 = Vector256.FusedMultiplyAdd(p, v, a3);
            b3 = Vector256.FusedMultiplyAdd(q, v, b3);
        }
        a0.Store(y0);
        a1.Store(y0 + 8);
        a2.Store(y0 + 16);
        a3.Store(y0 + 24);
        b0.Store(y1);
        b1.Store(y1 + 8);
        b2.Store(y1 + 16);
        b3.Store(y1 + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(float* w, int depth, float* x, float* y, bool add)
    {
        Vector256<float> a0, a1, a2, a3;
        if (add) (a0, a1, a2, a3) = (Vector256.Load(y), Vector256.Load(y + 8), Vector256.Load(y + 16), Vector256.Load(y + 24));
        else a0 = a1 = a2 = a3 = Vector256<float>.Zero;
        for (var k = 0; k < depth; k++, w += Width)
        {
            var p = Vector256.Create(x[k]);
            a0 = Vector256.FusedMultiplyAdd(p, Vector256.Load(w), a0);
            a1 = Vector256.FusedMultiplyAdd(p, Vector256.Load(w + 8), a1);
            a2 = Vector256.FusedMultiplyAdd(p, Vector256.Load(w + 16), a2);
            a3 = Vector256.FusedMultiplyAdd(p, Vector256.Load(w + 24), a3);
        }
        a0.Store(y);
        a1.Store(y + 8);
        a2.Store(y + 16);
        a3.Store(y + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRowTwoPanels(float* v, float* w, int depth, float* x, float* y, bool add)
    {
        Vector256<float> a0, a1, a2, a3, b0, b1, b2, b3;
        if (add)
        {
            (a0, a1, a2, a3) = (Vector256.Load(y), Vector256.Load(y + 8), Vector256.Load(y + 16), Vector256.Load(y + 24));
            (b0, b1, b2, b3) = (Vector256.Load(y + 32), Vector256.Load(y + 40), Vector256.Load(y + 48), Vector256.Load(y + 56));
        }
        else
        {
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = Vector256<float>.Zero;
        }
        for (var k = 0; k < depth; k++, v += Width, w += Width)
        {
            var p = Vector256.Create(x[k]);
            a0 = Vector256.FusedMultiplyAdd(p, Vector256.Load(v), a0);
            a1 = Vector256.FusedMultiplyAdd(p, Vector256.Load(v + 8), a1);
            a2 = Vector256.FusedMultiplyAdd(p, Vector256.Load(v + 16), a2);
            a3 = Vector256.FusedMultiplyAdd(p, Vector256.Load(v + 24), a3);
            b0 = Vector256.FusedMultiplyAdd(p, Vector256.Load(w), b0);
            b1 = Vector256.FusedMultiplyAdd(p, Vector256.Load(w + 8), b1);
            b2 = Vector256.FusedMultiplyAdd(p, Vector256.Load(w + 16), b2);
            b3 = Vector256.FusedMultiplyAdd(p, Vector256.Load(w + 24), b3);
        }
        a0.Store(y);
        a1.Store(y + 8);
        a2.Store(y + 16);
        a3.Store(y + 24);
        b0.Store(y + 32);
        b1.Store(y + 40);
        b2.Store(y + 48);
        b3.Store(y + 56);
    }
}
