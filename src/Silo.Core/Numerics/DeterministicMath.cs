using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Silo.Core.Numerics;

/// <summary>
/// exp and log in float64 with the same bits on every platform and vector width: nothing but IEEE additions,
/// multiplications, divisions and fused multiply-adds, in a fixed order. (The platform's own functions differ in the
/// last place between C libraries, which would enter every digest.)
/// </summary>
/// <remarks>
/// The 512-bit forms run on every machine: .NET splits them into narrower vectors, or into scalars, where it must,
/// and the operation of each lane stays what it is. The polynomials are minimax (Chebyshev) fits made in 50 digits.
/// Reduction of exp: x = k ln 2 + r, |r| at most ln 2 / 2 (Cody and Waite 1980). Of log: x = 2^k (1 + f) and
/// log(1 + f) = f - (f²/2 - s (f²/2 + R(s²))), s = f / (2 + f) (as in fdlibm's e_log.c).
/// </remarks>
public static class DeterministicMath
{
    // Adding it rounds to the nearest integer, which then stands in the low bits of the sum.
    private const double Rounder = 6755399441055744.0; // 1.5 * 2^52
    private const double InverseLn2 = 1.4426950408889634;
    private const double Ln2 = 0.6931471805599453;
    private const double Ln2Rest = 2.3190468138462996e-17; // ln 2 - Ln2
    private const double Ln2Short = 0.6931467056274414;    // 21 bits: k * Ln2Short is exact
    private const double Ln2ShortRest = 4.7493250390316726e-07;

    // exp(r) = 1 + r + r² Q(r): degree 9, error of r² Q below 1.3e-17.
    private const double E0 = 0.5, E1 = 0.16666666666666669, E2 = 0.04166666666662413, E3 = 0.008333333333330062,
        E4 = 0.0013888888917213717, E5 = 0.00019841269863053618, E6 = 2.4801521295954376e-05,
        E7 = 2.7557268459997064e-06, E8 = 2.7620088445409746e-07, E9 = 2.510038549551032e-08;

    // R(w) = w L(w): degree 6, error of R below 4.6e-18 of log.
    private const double L0 = 0.666666666666667, L1 = 0.3999999999989889, L2 = 0.28571428626253836,
        L3 = 0.22222211089379496, L4 = 0.1818289243253687, L5 = 0.15331611722055008, L6 = 0.14617807153417325;

    private const long SqrtHalfBits = 0x3FE6A09E667F3BCD;
    private const double SmallestNormal = 2.2250738585072014e-308;

    /// <summary>e^x. Error below 1 ulp (2 in the subnormal range). NaN for NaN, 0 below -745.14, infinity above 709.79.</summary>
    public static double Exp(double x)
    {
        if (double.IsNaN(x)) return x;
        var clamped = Math.Max(-746.0, Math.Min(710.0, x));
        var shifted = Math.FusedMultiplyAdd(clamped, InverseLn2, Rounder);
        var k = shifted - Rounder;
        var r = Math.FusedMultiplyAdd(k, -Ln2Rest, Math.FusedMultiplyAdd(k, -Ln2, clamped));
        var q = Math.FusedMultiplyAdd(r, E9, E8);
        q = Math.FusedMultiplyAdd(r, q, E7);
        q = Math.FusedMultiplyAdd(r, q, E6);
        q = Math.FusedMultiplyAdd(r, q, E5);
        q = Math.FusedMultiplyAdd(r, q, E4);
        q = Math.FusedMultiplyAdd(r, q, E3);
        q = Math.FusedMultiplyAdd(r, q, E2);
        q = Math.FusedMultiplyAdd(r, q, E1);
        q = Math.FusedMultiplyAdd(r, q, E0);
        var y = 1.0 + Math.FusedMultiplyAdd(r * r, q, r);
        // 2^k in two factors, both normal: only the last product can round, and only into the subnormals.
        var n = BitConverter.DoubleToInt64Bits(shifted) - BitConverter.DoubleToInt64Bits(Rounder);
        var half = n >> 1;
        return y * BitConverter.Int64BitsToDouble((half + 1023) << 52) * BitConverter.Int64BitsToDouble((n - half + 1023) << 52);
    }

    /// <summary>ln x. Error below 1 ulp. -infinity for 0, NaN below 0 and for NaN.</summary>
    public static double Log(double x)
    {
        if (double.IsNaN(x) || x < 0) return double.NaN;
        if (x == 0) return double.NegativeInfinity;
        if (double.IsPositiveInfinity(x)) return x;
        var below = x < SmallestNormal;
        var bits = BitConverter.DoubleToInt64Bits(below ? x * 18014398509481984.0 : x); // 2^54
        var n = (bits - SqrtHalfBits) >> 52;
        var f = BitConverter.Int64BitsToDouble(bits - (n << 52)) - 1.0;
        var k = (double)n - (below ? 54.0 : 0.0);
        var s = f / (2.0 + f);
        var w = s * s;
        var p = Math.FusedMultiplyAdd(w, L6, L5);
        p = Math.FusedMultiplyAdd(w, p, L4);
        p = Math.FusedMultiplyAdd(w, p, L3);
        p = Math.FusedMultiplyAdd(w, p, L2);
        p = Math.FusedMultiplyAdd(w, p, L1);
        p = Math.FusedMultiplyAdd(w, p, L0);
        var h = 0.5 * f * f;
        var small = Math.FusedMultiplyAdd(s, Math.FusedMultiplyAdd(w, p, h), k * Ln2ShortRest);
        return Math.FusedMultiplyAdd(k, Ln2Short, f - (h - small));
    }

    /// <summary>y_i = e^(x_i), with the bits of <see cref="Exp(double)"/>. The spans have one length and may be the same.</summary>
    public static void Exp(ReadOnlySpan<double> x, Span<double> y)
    {
        if (x.Length != y.Length) throw new ArgumentException("one length expected", nameof(y));
        var i = 0;
        for (; i <= x.Length - 8; i += 8) Exp(Vector512.Create(x.Slice(i, 8))).CopyTo(y.Slice(i, 8));
        for (; i < x.Length; i++) y[i] = Exp(x[i]);
    }

    /// <summary>w_i = e^((z_i - origin) scale), with the bits of <see cref="Exp(double)"/>; returns their sum, added up in eight lanes. The spans have one length.</summary>
    /// <param name="z">Logits, none of them NaN.</param>
    /// <param name="origin">What is taken off, usually the largest.</param>
    /// <param name="scale">1 / T.</param>
    /// <param name="w">Receives the weights.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Weigh(ReadOnlySpan<float> z, double origin, double scale, Span<double> w)
    {
        if (z.Length != w.Length) throw new ArgumentException("one length expected", nameof(w));
        var (vOrigin, vScale, lanes) = (Vector512.Create(origin), Vector512.Create(scale), Vector512<double>.Zero);
        var i = 0;
        for (; i <= z.Length - 8; i += 8)
        {
            var eight = Vector256.Create(z.Slice(i, 8));
            var e = Exp((Vector512.Create(Vector256.WidenLower(eight), Vector256.WidenUpper(eight)) - vOrigin) * vScale);
            e.CopyTo(w[i..]);
            lanes += e;
        }
        var four = lanes.GetLower() + lanes.GetUpper();
        var sum = (four[0] + four[2]) + (four[1] + four[3]);
        for (; i < z.Length; i++)
        {
            w[i] = Exp((z[i] - origin) * scale);
            sum += w[i];
        }
        return sum;
    }

    /// <summary>y_i = ln x_i, with the bits of <see cref="Log(double)"/>. The spans have one length and may be the same.</summary>
    public static void Log(ReadOnlySpan<double> x, Span<double> y)
    {
        if (x.Length != y.Length) throw new ArgumentException("one length expected", nameof(y));
        for (var i = 0; i < x.Length; i++) y[i] = Log(x[i]);
    }

    /// <summary>e^x in every lane, with the bits of <see cref="Exp(double)"/>; no lane may be NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<double> Exp(Vector512<double> x)
    {
        var clamped = Vector512.MaxNative(Vector512.Create(-746.0), Vector512.MinNative(Vector512.Create(710.0), x));
        var rounder = Vector512.Create(Rounder);
        var shifted = Vector512.FusedMultiplyAdd(clamped, Vector512.Create(InverseLn2), rounder);
        var k = shifted - rounder;
        var r = Vector512.FusedMultiplyAdd(k, Vector512.Create(-Ln2Rest),
            Vector512.FusedMultiplyAdd(k, Vector512.Create(-Ln2), clamped));
        var q = Vector512.FusedMultiplyAdd(r, Vector512.Create(E9), Vector512.Create(E8));
        q = Vector512.FusedMultiplyAdd(r, q, Vector512.Create(E7));
        q = Vector512.FusedMultiplyAdd(r, q, Vector512.Create(E6));
        q = Vector512.FusedMultiplyAdd(r, q, Vector512.Create(E5));
        q = Vector512.FusedMultiplyAdd(r, q, Vector512.Create(E4));
        q = Vector512.FusedMultiplyAdd(r, q, Vector512.Create(E3));
        q = Vector512.FusedMultiplyAdd(r, q, Vector512.Create(E2));
        q = Vector512.FusedMultiplyAdd(r, q, Vector512.Create(E1));
        q = Vector512.FusedMultiplyAdd(r, q, Vector512.Create(E0));
        var y = Vector512<double>.One + Vector512.FusedMultiplyAdd(r * r, q, r);
        var n = shifted.AsInt64() - rounder.AsInt64();
        // An arithmetic shift of 64-bit lanes is slow without AVX-512; the exponent made positive needs none.
        var half = Vector512.ShiftRightLogical(n + Vector512.Create(2048L), 1) - Vector512.Create(1024L);
        var bias = Vector512.Create(1023L);
        return y * Vector512.ShiftLeft(half + bias, 52).AsDouble() * Vector512.ShiftLeft(n - half + bias, 52).AsDouble();
    }

    /// <summary>ln x in every lane, with the bits of <see cref="Log(double)"/>; every lane must be normal and positive.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<double> LogOfNormal(Vector512<double> x)
    {
        var bits = x.AsInt64();
        // The exponent (at least -1022) made positive, so that a logical shift does.
        var n = Vector512.ShiftRightLogical(bits - Vector512.Create(SqrtHalfBits) + Vector512.Create(2048L << 52), 52)
            - Vector512.Create(2048L);
        var f = (bits - Vector512.ShiftLeft(n, 52)).AsDouble() - Vector512<double>.One;
        var rounder = Vector512.Create(Rounder);
        var k = (n + rounder.AsInt64()).AsDouble() - rounder;
        var s = f / (Vector512.Create(2.0) + f);
        var w = s * s;
        var p = Vector512.FusedMultiplyAdd(w, Vector512.Create(L6), Vector512.Create(L5));
        p = Vector512.FusedMultiplyAdd(w, p, Vector512.Create(L4));
        p = Vector512.FusedMultiplyAdd(w, p, Vector512.Create(L3));
        p = Vector512.FusedMultiplyAdd(w, p, Vector512.Create(L2));
        p = Vector512.FusedMultiplyAdd(w, p, Vector512.Create(L1));
        p = Vector512.FusedMultiplyAdd(w, p, Vector512.Create(L0));
        var h = Vector512.Create(0.5) * f * f;
        var small = Vector512.FusedMultiplyAdd(s, Vector512.FusedMultiplyAdd(w, p, h), k * Vector512.Create(Ln2ShortRest));
        return Vector512.FusedMultiplyAdd(k, Vector512.Create(Ln2Short), f - (h - small));
    }
}
