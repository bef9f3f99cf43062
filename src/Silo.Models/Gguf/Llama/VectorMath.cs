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

    private const float LeastExponent = -87.3f, Log2E = 1.44269504f, Magic = 12582912f; // 1.5 * 2^23: adding it rounds to a whole number

    // 2^f = 1 + P1 f + ... + P6 f^6: minimax on [-1/2, 1/2], relative error 2e-9.
    private const float P1 = 0.6931471824645996f, P2 = 0.24022646248340607f, P3 = 5.550328642129898e-2f, P4 = 9.618489071726799e-3f,
        P5 = 1.3399930903688073e-3f, P6 = 1.534581242594868e-4f;

    /// <summary>
    /// e^x for x up to 88 (not checked); below -87.3 as if it were that, about 1e-38. Relative error below 1e-7 + 1.4e-8 |x|. Method: with x log2(e) = n + f,
    /// 2^n times a polynomial for 2^f.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        var c = Vector256.MaxNative(x, Vector256.Create(LeastExponent));
        var shifted = Vector256.FusedMultiplyAdd(c, Vector256.Create(Log2E), Vector256.Create(Magic));
        var f = Vector256.FusedMultiplyAdd(c, Vector256.Create(Log2E), Vector256.Create(Magic) - shifted);
        var p = Vector256.FusedMultiplyAdd(f, Vector256.Create(P6), Vector256.Create(P5));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(P4));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(P3));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(P2));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(P1));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256<float>.One);
        // The whole number stands in the low bits of its sum with the magic one: added to the exponent, it multiplies by 2^n.
        return (p.AsInt32() + (shifted.AsInt32() << 23)).AsSingle();
    }

    /// <summary>The same in 512-bit vectors, with the same bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        var c = Vector512.MaxNative(x, Vector512.Create(LeastExponent));
        var shifted = Vector512.FusedMultiplyAdd(c, Vector512.Create(Log2E), Vector512.Create(Magic));
        var f = Vector512.FusedMultiplyAdd(c, Vector512.Create(Log2E), Vector512.Create(Magic) - shifted);
        var p = Vector512.FusedMultiplyAdd(f, Vector512.Create(P6), Vector512.Create(P5));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(P4));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(P3));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(P2));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(P1));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512<float>.One);
        return (p.AsInt32() + (shifted.AsInt32() << 23)).AsSingle();
    }

    /// <summary>The sum of the lanes, always in the same order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> v)
    {
        var four = v.GetLower() + v.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    /// <summary>The largest lane; none may be NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector256<float> v)
    {
        var four = Vector128.MaxNative(v.GetLower(), v.GetUpper());
        four = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(1, 0, 3, 2)))[0];
    }

    /// <summary>RMSNorm: x / sqrt(mean(x^2) + epsilon) * weight, over rows padded with zeros to a multiple of eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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

    /// <summary>SwiGLU: gate / (1 + e^-gate) * up. Reads and writes whole vectors: up to seven floats beyond the count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SwiGlu(float* gate, float* up, float* to, int count)
    {
        var i = 0;
        if (Vector512.IsHardwareAccelerated)
            for (; i + 16 <= count; i += 16)
            {
                var g = Vector512.Load(gate + i);
                (g / (Vector512<float>.One + Exp(Vector512.MinNative(-g, Vector512.Create(88f)))) * Vector512.Load(up + i)).Store(to + i);
            }
        for (; i < count; i += Lanes)
        {
            var g = Vector256.Load(gate + i);
            (g / (Vector256<float>.One + Exp(Vector256.MinNative(-g, Vector256.Create(88f)))) * Vector256.Load(up + i)).Store(to + i);
        }
    }
}
