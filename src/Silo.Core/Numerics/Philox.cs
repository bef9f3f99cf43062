using System.Runtime.CompilerServices;

namespace Silo.Core.Numerics;

/// <summary>
/// Philox4x64-10, a bijection of 256-bit counters under a 128-bit key that passes BigCrush (Salmon, Moraes, Dror and
/// Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", SC'11, section 3.3).
/// </summary>
internal static class Philox
{
    private const int Rounds = 10;
    private const ulong Multiplier0 = 0xD2E7470EE14C6C93, Multiplier1 = 0xCA5A826395121157;
    private const ulong Weyl0 = 0x9E3779B97F4A7C15, Weyl1 = 0xBB67AE8584CAA73B;

    /// <summary>Four 64-bit words in place of a 256-bit counter.</summary>
    internal struct Block
    {
        public ulong W0, W1, W2, W3;
    }

    /// <summary>The block at counter (c0, c1, c2, c3) under key (k0, k1), lowest words first.</summary>
    [SkipLocalsInit]
    public static Block Compute(ulong c0, ulong c1, ulong c2, ulong c3, ulong k0, ulong k1)
    {
        for (int round = 0; round < Rounds; round++)
        {
            ulong high0 = Math.BigMul(Multiplier0, c0, out ulong low0);
            ulong high1 = Math.BigMul(Multiplier1, c2, out ulong low1);
            (c0, c1, c2, c3) = (high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0);
            k0 += Weyl0;
            k1 += Weyl1;
        }
        return new Block { W0 = c0, W1 = c1, W2 = c2, W3 = c3 };
    }
}
