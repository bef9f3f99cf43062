using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Silo.Core.Numerics;

namespace Silo.Core.Statistics;

/// <summary>
/// How often a prompt stands in each resample of a Poisson bootstrap (Chamandy, Muralidharan, Najmi and Naidu 2012,
/// "Estimating uncertainty for massive data streams"): independent Poisson(1) counts, a pure function of seed, prompt and
/// resample, so that they depend neither on the other prompts nor on order or shards.
/// </summary>
public static class PoissonWeights
{
    /// <summary>The largest weight.</summary>
    public const int Max = 8;

    // P(weight <= k) * 2^16 for k = 0..7, rounded: exp(-1) sum 1/j!. The last step, to 8, is what 16 bits leave of the tail.
    private static readonly ushort[] s_steps = [24109, 48219, 60273, 64292, 65296, 65497, 65531, 65535];

    /// <summary>Fills in the weights of one prompt: place r belongs to resample r.</summary>
    /// <param name="seed">The experiment's seed.</param>
    /// <param name="promptKey">The prompt's key, for example <see cref="CounterRandom.KeyOf"/> of its name.</param>
    /// <param name="weights">Receives weights in 0..<see cref="Max"/>, one for each resample.</param>
    public static void Fill(ulong seed, UInt128 promptKey, Span<byte> weights)
    {
        var stream = CounterRandom.Create(promptKey).Derive(seed);
        Span<ulong> words = stackalloc ulong[64];
        var uniforms = MemoryMarshal.Cast<ulong, ushort>(words);
        for (ulong chunk = 0; !weights.IsEmpty; chunk++)
        {
            stream.Fill(chunk, words);
            int count = Math.Min(uniforms.Length, weights.Length);
            Quantiles(uniforms);
            for (int i = 0; i < count; i++) weights[i] = (byte)uniforms[i];
            weights = weights[count..];
        }
    }

    // Each uniform becomes the number of steps it reaches.
    private static void Quantiles(Span<ushort> uniforms)
    {
        foreach (ref var lane in MemoryMarshal.Cast<ushort, Vector128<ushort>>(uniforms))
        {
            var reached = Vector128<ushort>.Zero;
            foreach (ushort step in s_steps) reached -= Vector128.GreaterThanOrEqual(lane, Vector128.Create(step));
            lane = reached;
        }
    }
}
