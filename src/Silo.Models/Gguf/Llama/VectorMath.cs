using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Silo.Models.Gguf.Llama;

/// <summary>
/// Float32 functions with the same bits on every processor: only IEEE additions, products, divisions, roots and fused
/// multiply-adds, on eight lanes, in a fixed order. <see cref="Vector256"/> falls back to narrower instructions, or none, with the same results.
/// </summary>
internal static unsafe class VectorMath
{
    public const int Lanes = 8;

    /// <summary>
    /// e^x to about one unit in the last place; 0 below -87.33 (where float32 would turn subnormal), at most e^88.37. Method: x = n ln 2 + r,
    /// polynomial in r (coefficients of Moshier's Cephes, expf).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        const float Least = -87.33f, Most = 88.37f, Magic = 12582912f; // 1.5 * 2^23: adding it rounds to a whole number
        var inside = Vector256.GreaterThanOrEqual(x, Vector256.Create(Least));
        var c = Vector256.MinNative(Vector256.MaxNative(x, Vector256.Create(Least)), Vector256.Create(Most));
        var shifted = Vector256.FusedMultiplyAdd(c, Vector256.Create(1.44269504f), Vector256.Create(Magic));
        var n = shifted - Vector256.Create(Magic);
        var r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-0.693359375f), c);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(2.12194440e-4f), r);
        var p = Vector256.FusedMultiplyAdd(Vector256.Create(1.9875691500e-4f), r, Vector256.Create(1.3981999507e-3f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(8.3334519073e-3f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(4.1665795894e-2f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1.6666665459e-1f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(5.0000001201e-1f));
        p = Vector256.FusedMultiplyAdd(p, r * r, r) + Vector256<float>.One;
        var scale = (shifted.AsInt32() << 23) + Vector256.Create(0x3F800000);
        return (p * scale.AsSingle()) & inside;
    }

    /// <summary>The sum of the lanes, always in the same order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> v)
    {
        var four = v.GetLower() + v.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    /// <summary>The largest lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector256<float> v)
    {
        var four = Vector128.Max(v.GetLower(), v.GetUpper());
        return MathF.Max(MathF.Max(four[0], four[2]), MathF.Max(four[1], four[3]));
    }

    /// <summary>RMSNorm: x / sqrt(mean(x^2) + epsilon) * weight, over rows padded with zeros to a multiple of eight.</summary>
    public static void RmsNorm(float* x, float* weight, float* to, int width, int padded, float epsilon)
    {
        var squares = Vector256<float>.Zero;
        for (var i = 0; i < padded; i += Lanes)
        {
            var v = Vector256.Load(x + i);
            squares = Vector256.FusedMultiplyAdd(v, v, squares);
        }
        var scale = Vector256.Create(1f / MathF.Sqrt(Sum(squares) / width + epsilon));
        for (var i = 0; i < padded; i += Lanes) (Vector256.Load(x + i) * scale * Vector256.Load(weight + i)).Store(to + i);
    }

    /// <summary>SwiGLU: gate / (1 + e^-gate) * up.</summary>
    public static void SwiGlu(float* gate, float* up, float* to, int count)
    {
        var i = 0;
        for (; i + Lanes <= count; i += Lanes)
            SwiGlu(Vector256.Load(gate + i), Vector256.Load(up + i)).Store(to + i);
        if (i == count) return;
        float* tail = stackalloc float[3 * Lanes];
        for (var j = i; j < count; j++) (tail[j - i], tail[Lanes + j - i]) = (gate[j], up[j]);
        SwiGlu(Vector256.Load(tail), Vector256.Load(tail + Lanes)).Store(tail + 2 * Lanes);
        for (var j = i; j < count; j++) to[j] = tail[2 * Lanes + j - i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> SwiGlu(Vector256<float> gate, Vector256<float> up) =>
        gate / (Vector256<float>.One + Exp(-gate)) * up;
}
