using Silo.Core.Numerics;

namespace Silo.Core.Features;

/// <summary>Rows as language models make them: a normal bulk and a heavy head, scaled to an entropy. Always the same ones.</summary>
internal static class BenchmarkRows
{
    private const int Head = 2000;

    public static float[] Make(int vocabularySize, double entropy, int index)
    {
        var state = (ulong)index * 1_000_003 + (ulong)(entropy * 1000);
        double Uniform()
        {
            // SplitMix64 (Steele, Lea and Flood 2014).
            var x = state += 0x9E3779B97F4A7C15;
            x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
            x = (x ^ x >> 27) * 0x94D049BB133111EB;
            return ((x ^ x >> 31) >> 11) * (1.0 / (1L << 53));
        }
        var bulk = new double[vocabularySize];
        var head = new double[vocabularySize];
        for (var id = 0; id < vocabularySize; id++)
            bulk[id] = 2.2 * Math.Sqrt(-2 * DeterministicMath.Log(1 - Uniform())) * Math.Cos(2 * Math.PI * Uniform()) - 3;
        for (var rank = 1; rank <= Head; rank++)
            head[(int)(Uniform() * vocabularySize)] = DeterministicMath.Log((double)Head / rank);
        double low = -3, high = 8;
        var z = new float[vocabularySize];
        for (var step = 0; step < 20; step++)
        {
            var strength = (low + high) / 2;
            for (var id = 0; id < vocabularySize; id++) z[id] = (float)(bulk[id] + strength * head[id]);
            if (Entropy(z) > entropy) low = strength;
            else high = strength;
        }
        return z;
    }

    public static double Entropy(float[] z)
    {
        var largest = z.Max();
        double sum = 0, energy = 0;
        foreach (var v in z)
        {
            var e = Math.Exp(v - largest);
            sum += e;
            energy += e * (v - largest);
        }
        return Math.Log(sum) - energy / sum;
    }

    /// <summary>Each logit rounded to the nearest bfloat16, ties to even.</summary>
    public static float[] ToBfloat16(float[] z) => Array.ConvertAll(z, v =>
    {
        var bits = BitConverter.SingleToUInt32Bits(v);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000);
    });
}
