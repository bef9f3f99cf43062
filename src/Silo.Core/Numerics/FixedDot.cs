using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Silo.Core.Numerics;

/// <summary>Dot products whose bits do not depend on the width of the machine's vectors: eight partial sums, always.</summary>
internal static class FixedDot
{
    /// <summary>sum a_i b_i of two series of equal length.</summary>
    public static double Product(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        if (a.Length != b.Length) throw new ArgumentException($"{a.Length} values beside {b.Length}");
        // Without a fused multiply-add: it would round differently where it is missing.
        var sums = Vector512<double>.Zero;
        var x = MemoryMarshal.Cast<double, Vector512<double>>(a);
        var y = MemoryMarshal.Cast<double, Vector512<double>>(b);
        for (int i = 0; i < x.Length; i++) sums += x[i] * y[i];
        double sum = 0;
        for (int lane = 0; lane < Vector512<double>.Count; lane++) sum += sums[lane];
        for (int i = x.Length * Vector512<double>.Count; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }
}
