using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Silo.Core.Features;

/// <summary>Sums over eight lanes, in one order on every machine.</summary>
internal static class Lanes
{
    /// <summary>The sum of the lanes: halves, quarters, pairs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(Vector512<double> lanes)
    {
        var four = lanes.GetLower() + lanes.GetUpper();
        var two = four.GetLower() + four.GetUpper();
        return two.GetElement(0) + two.GetElement(1);
    }
}
