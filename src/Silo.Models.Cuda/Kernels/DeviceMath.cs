using ILGPU;

namespace Silo.Models.Cuda.Kernels;

/// <summary>
/// exp and log in float64 out of additions, multiplications and divisions alone, as DeterministicMath has them for hosts. A device's compiler may
/// fuse a product with a sum; both are right to an ulp or so either way. Sources: see DeterministicMath; the split of ln 2 is fdlibm's.
/// </summary>
internal static class DeviceMath
{
    private const double InverseLn2 = 1.4426950408889634, Ln2High = 6.93147180369123816490e-01, Ln2Low = 1.90821492927058770002e-10;

    private const double E0 = 0.5, E1 = 0.16666666666666669, E2 = 0.04166666666662413, E3 = 0.008333333333330062,
        E4 = 0.0013888888917213717, E5 = 0.00019841269863053618, E6 = 2.4801521295954376e-05,
        E7 = 2.7557268459997064e-06, E8 = 2.7620088445409746e-07, E9 = 2.510038549551032e-08;

    private const double L0 = 0.666666666666667, L1 = 0.3999999999989889, L2 = 0.28571428626253836,
        L3 = 0.22222211089379496, L4 = 0.1818289243253687, L5 = 0.15331611722055008, L6 = 0.14617807153417325;

    private const long SqrtHalfBits = 0x3FE6A09E667F3BCD;

    /// <summary>e^x for x at most 1; 0 below -708.</summary>
    public static double Exp(double x)
    {
        if (x < -708) return 0;
        var n = (int)((x * InverseLn2) + (x < 0 ? -0.5 : 0.5));
        double k = n;
        var r = x - (k * Ln2High) - (k * Ln2Low);
        var q = (((((((((((((((((r * E9) + E8) * r) + E7) * r) + E6) * r) + E5) * r) + E4) * r) + E3) * r) + E2) * r) + E1) * r) + E0;
        var y = 1.0 + (r + (r * r * q));
        return y * Interop.IntAsFloat((ulong)(n + 1023L) << 52);
    }

    /// <summary>ln x of a normal number above 0.</summary>
    public static double Log(double x)
    {
        var bits = (long)Interop.FloatAsInt(x);
        var n = (bits - SqrtHalfBits) >> 52;
        var f = Interop.IntAsFloat((ulong)(bits - (n << 52))) - 1.0;
        double k = n;
        var s = f / (2.0 + f);
        var w = s * s;
        var p = (((((((((((w * L6) + L5) * w) + L4) * w) + L3) * w) + L2) * w) + L1) * w) + L0;
        var h = 0.5 * f * f;
        return (k * Ln2High) + (f - (h - ((s * ((w * p) + h)) + (k * Ln2Low))));
    }

    /// <summary>A whole number in the order of floats; -0 is 0.</summary>
    public static int Key(float z)
    {
        var bits = (int)Interop.FloatAsInt(z);
        return bits == int.MinValue ? 0 : bits >= 0 ? bits : bits ^ int.MaxValue;
    }

    /// <summary>The float of a <see cref="Key"/>.</summary>
    public static float FromKey(int key) => Interop.IntAsFloat((uint)(key >= 0 ? key : key ^ int.MaxValue));

    /// <summary>The next whole number below, for |y| below 2^24.</summary>
    public static int Floor(float y)
    {
        var whole = (int)y;
        return whole > y ? whole - 1 : whole;
    }

    /// <summary>2^g.</summary>
    public static double PowerOfTwo(int g) => Interop.IntAsFloat((ulong)(g + 1023L) << 52);
}
