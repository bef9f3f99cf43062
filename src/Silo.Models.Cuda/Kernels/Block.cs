using ILGPU;

namespace Silo.Models.Cuda.Kernels;

/// <summary>Three numbers that are added up together.</summary>
internal struct Three(double a, double b, double c)
{
    public double A = a, B = b, C = c;
}

/// <summary>A thread's part of a running sum: what lies before it, what lies up to its end, and the whole.</summary>
internal readonly struct Part(double start, double end, double total)
{
    public readonly double Start = start, End = end, Total = total;
}

/// <summary>
/// Sums over the threads of a block, in an order that depends on the size of the block alone. All threads call these together; what any of them
/// wrote before is seen by all after.
/// </summary>
internal readonly struct Block(ArrayView<double> partial)
{
    /// <summary>Words of shared memory per warp.</summary>
    public const int PerWarp = 3;

    private readonly ArrayView<double> _partial = partial;

    private static int Warps => Group.DimX / Warp.WarpSize;

    public Three Sum(Three values)
    {
        for (var step = Warp.WarpSize >> 1; step > 0; step >>= 1)
        {
            values.A += Warp.ShuffleXor(values.A, step);
            values.B += Warp.ShuffleXor(values.B, step);
            values.C += Warp.ShuffleXor(values.C, step);
        }
        var mine = Warp.WarpIdx * PerWarp;
        Group.Barrier();
        if (Warp.LaneIdx == 0)
        {
            _partial[mine] = values.A;
            _partial[mine + 1] = values.B;
            _partial[mine + 2] = values.C;
        }
        Group.Barrier();
        var sum = new Three(0, 0, 0);
        for (var warp = 0; warp < Warps; warp++)
        {
            sum.A += _partial[warp * PerWarp];
            sum.B += _partial[(warp * PerWarp) + 1];
            sum.C += _partial[(warp * PerWarp) + 2];
        }
        return sum;
    }

    public Part Scan(double value)
    {
        var lane = Warp.LaneIdx;
        var upTo = value;
        for (var step = 1; step < Warp.WarpSize; step <<= 1)
        {
            var below = Warp.ShuffleUp(upTo, step);
            if (lane >= step) upTo += below;
        }
        var before = Warp.ShuffleUp(upTo, 1);
        if (lane == 0) before = 0;
        var mine = Warp.WarpIdx;
        Group.Barrier();
        if (lane == Warp.WarpSize - 1) _partial[mine] = upTo;
        Group.Barrier();
        double start = 0, total = 0;
        for (var warp = 0; warp < Warps; warp++)
        {
            if (warp == mine) start = total;
            total += _partial[warp];
        }
        var next = start + _partial[mine];
        start += before;
        // Where one thread's part ends the next one's begins, to the last bit.
        var end = Warp.ShuffleDown(start, 1);
        if (lane == Warp.WarpSize - 1) end = next;
        return new Part(start, end, total);
    }

    /// <summary>The sum over the threads of a warp, exact.</summary>
    public static long SumOfWarp(long value)
    {
        for (var step = Warp.WarpSize >> 1; step > 0; step >>= 1) value += Warp.ShuffleXor(value, step);
        return value;
    }
}
