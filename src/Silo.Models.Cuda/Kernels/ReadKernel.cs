using ILGPU;

namespace Silo.Models.Cuda.Kernels;

/// <summary>Reads every word of the rows once: what any pass over them takes at least. One block a row, or all blocks all rows.</summary>
internal static class ReadKernel
{
    public static void Run(ArrayView<float> logits, ArrayView<int> into, int vocabulary, int blocksPerRow)
    {
        var z = logits.SubView((long)(Grid.IdxX / blocksPerRow) * vocabulary, vocabulary);
        int step = Group.DimX * blocksPerRow, id = Group.IdxX + (Grid.IdxX % blocksPerRow * Group.DimX), bits = 0;
        for (; id + (7 * step) < vocabulary; id += 8 * step)
        {
            float z0 = z[id], z1 = z[id + step], z2 = z[id + (2 * step)], z3 = z[id + (3 * step)];
            float z4 = z[id + (4 * step)], z5 = z[id + (5 * step)], z6 = z[id + (6 * step)], z7 = z[id + (7 * step)];
            bits ^= Word(z0) ^ Word(z1) ^ Word(z2) ^ Word(z3) ^ Word(z4) ^ Word(z5) ^ Word(z6) ^ Word(z7);
        }
        for (; id < vocabulary; id += step) bits ^= Word(z[id]);
        Atomic.Xor(ref into[Grid.IdxX / blocksPerRow], bits);
    }

    private static int Word(float z) => (int)Interop.FloatAsInt(z);
}
