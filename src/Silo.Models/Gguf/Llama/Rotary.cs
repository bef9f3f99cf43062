using System.Runtime.Intrinsics;
using Silo.Core.Numerics;

namespace Silo.Models.Gguf.Llama;

/// <summary>
/// Rotary position embedding (Su et al. 2021) of neighbouring pairs: (a, b) at 2i, 2i + 1 turns by position * base^(-2i / dimensions). The table of
/// cosines and sines is made with IEEE operations alone, so that it has the same bits everywhere.
/// </summary>
internal sealed unsafe class Rotary : IDisposable
{
    private readonly NativeBuffer _table;
    private readonly int _dimensions;

    /// <param name="dimensions">Leading dimensions of a head that turn, a multiple of eight.</param>
    /// <param name="frequencyBase">Base of the frequencies.</param>
    /// <param name="divisors">Each pair's frequency is divided by these (Llama 3.1's long context), or empty.</param>
    /// <param name="positionScale">Positions are multiplied by this (linear scaling).</param>
    /// <param name="positions">Number of positions.</param>
    public Rotary(int dimensions, double frequencyBase, ReadOnlySpan<float> divisors, double positionScale, int positions)
    {
        _dimensions = dimensions;
        _table = NativeBuffer.OfFloats(2L * positions * dimensions);
        var logBase = DeterministicMath.Log(frequencyBase);
        for (var i = 0; i < dimensions / 2; i++)
        {
            var frequency = DeterministicMath.Exp(-2.0 * i / dimensions * logBase) * positionScale / (divisors.IsEmpty ? 1 : divisors[i]);
            for (var position = 0; position < positions; position++)
            {
                var (sin, cos) = SinCos(position * frequency);
                var row = _table.Floats + 2L * position * dimensions;
                row[2 * i] = row[2 * i + 1] = (float)cos;
                (row[dimensions + 2 * i], row[dimensions + 2 * i + 1]) = ((float)-sin, (float)sin);
            }
        }
    }

    public long Bytes => _table.Bytes;

    /// <summary>Bytes of a table.</summary>
    public static long BytesFor(int dimensions, int positions) => 2L * positions * dimensions * sizeof(float);

    /// <summary>Turns heads, one after the other, in place, and scales them: (a, b) becomes (a cos - b sin, b cos + a sin).</summary>
    public void Turn(float* heads, int count, int headSize, int position, float scale)
    {
        var cos = _table.Floats + 2L * position * _dimensions;
        var sin = cos + _dimensions;
        var end = heads + count * headSize;
        for (var i = 0; i < headSize; i += VectorMath.Lanes)
        {
            if (i < _dimensions)
            {
                var (c, s) = (Vector256.Load(cos + i), Vector256.Load(sin + i));
                for (var at = heads + i; at < end; at += headSize)
                {
                    var v = Vector256.Load(at);
                    var swapped = Vector256.Shuffle(v, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6));
                    (Vector256.FusedMultiplyAdd(v, c, swapped * s) * scale).Store(at);
                }
            }
            else
            {
                for (var at = heads + i; at < end; at += headSize) (Vector256.Load(at) * scale).Store(at);
            }
        }
    }

    public void Dispose() => _table.Dispose();

    /// <summary>
    /// Sine and cosine, error below 1e-15 for |x| up to 2^20: x minus a multiple of pi/2 (three parts, Cody and Waite), then Taylor series on [-pi/4, pi/4].
    /// </summary>
    internal static (double Sin, double Cos) SinCos(double x)
    {
        const double HalfPi1 = 1.5707963267341256, HalfPi2 = 6.0771005063039660e-11, HalfPi3 = 2.0222662487959506e-21; // fdlibm's pio2_1, pio2_2, pio2_2t
        const double Rounder = 6755399441055744.0;
        var n = Math.FusedMultiplyAdd(x, 0.63661977236758134, Rounder) - Rounder;
        var r = Math.FusedMultiplyAdd(n, -HalfPi1, x);
        r = Math.FusedMultiplyAdd(n, -HalfPi2, r);
        r = Math.FusedMultiplyAdd(n, -HalfPi3, r);
        var (sin, cos, term) = (0.0, 0.0, 1.0);
        for (var i = 17; i >= 1; i -= 2)
        {
            // Horner from the last term: sin = r (1 - r^2/6 (1 - r^2/20 (...))), cos = 1 - r^2/2 (1 - r^2/12 (...)).
            sin = 1 - r * r / ((i + 1) * (i + 2)) * (i == 17 ? term : sin);
            cos = 1 - r * r / (i * (i + 1)) * (i == 17 ? term : cos);
        }
        sin *= r;
        return ((long)n & 3) switch
        {
            0 => (sin, cos),
            1 => (cos, -sin),
            2 => (-sin, -cos),
            _ => (-cos, sin),
        };
    }
}
