using ILGPU;

namespace Silo.Models.Cuda.Kernels;

/// <summary>
/// The histogram of a row on an absolute grid of width 2^-g; bucket 0 holds the largest logit. What is below the top tokens is the tail, of which
/// each thread owns some buckets. A bucket is two 32-bit words (the sum of trunc(2^20 s); a count in 10 bits above the sum of floor(2^14 s²)), or three
/// (count, trunc(2^15 s), floor(2^16 s²)), with s the distance from its centre in widths.
/// </summary>
internal struct Tail
{
    public const int CountShift = 22, MostNarrow = 1023;

    /// <summary>Largest |y| = |z| 2^g: floor(y) and y - floor(y) are then exact in float32.</summary>
    public const double Furthest = 1 << 21;

    private const int Coarsest = 3, Usual = 7, Finest = 13, Few = 512;
    private const float NarrowFirst = 1 << 20, NarrowSecond = 1 << 14, WideFirst = 1 << 15, WideSecond = 1 << 16;

    public bool IsWide;

    /// <summary>Whether no token's s was cut, where words are wide.</summary>
    public bool IsExact;

    /// <summary>floor(y) of bucket 0.</summary>
    public int Highest;

    /// <summary>Buckets, those of the top included; 0 where there is no histogram.</summary>
    public int Length;

    /// <summary>The first bucket below the top.</summary>
    public int First;

    /// <summary>Tokens below all buckets: so far below the largest that they are left out, which <see cref="Tempered"/> holds against its error.</summary>
    public int Dropped;

    /// <summary>The thread's own buckets of the tail, and the tokens before them.</summary>
    public int Lo, Hi, TokensBefore;

    public float Scale;

    /// <summary>The lower edge of the last bucket.</summary>
    public float Floor;

    /// <summary>Width of a bucket.</summary>
    public double Width;

    public double Largest;

    public Tail(int grid, bool wide, double largest, double smallest)
    {
        IsWide = wide;
        IsExact = false;
        Width = DeviceMath.PowerOfTwo(-grid);
        Scale = (float)DeviceMath.PowerOfTwo(grid);
        Largest = largest;
        Highest = DeviceMath.Floor((float)(largest * Scale));
        var room = wide ? RowShape.WideBuckets : RowShape.NarrowBuckets;
        Length = (largest - smallest) * Scale > room - 2 ? room : Highest - DeviceMath.Floor((float)(smallest * Scale)) + 1;
        First = Lo = Hi = TokensBefore = Dropped = 0;
        Floor = (float)((Highest - Length + 1) * Width);
    }

    public readonly double FirstUnit => IsWide ? 1.0 / WideFirst : 1.0 / NarrowFirst;

    public readonly double SecondUnit => IsWide ? 1.0 / WideSecond : 1.0 / NarrowSecond;

    /// <summary>Bound on what the tokens left out weigh, each with its part of an entropy: they lie below all buckets.</summary>
    public readonly double DroppedMass(double lambda)
    {
        if (Dropped == 0) return 0;
        var least = lambda * (((Highest - Length + 1.0) * Width) - Largest);
        return Dropped * DeviceMath.Exp(least) * (1 - least);
    }

    /// <summary>The usual grid, if the row fills enough of its buckets.</summary>
    public static int UsualGrid(double range)
    {
        var grid = Usual;
        while (grid < Finest && range * DeviceMath.PowerOfTwo(grid) < Few) grid++;
        return grid;
    }

    /// <summary>The usual grid, where the whole row fits it, or the finest that it fits.</summary>
    public static int Grid(double range, bool wide, bool finest)
    {
        var room = (wide ? RowShape.WideBuckets : RowShape.NarrowBuckets) - 2;
        var grid = finest ? Finest : Usual;
        while (grid < Finest && range * DeviceMath.PowerOfTwo(grid) < Few) grid++;
        while (grid > Coarsest && range * DeviceMath.PowerOfTwo(grid) > room) grid--;
        return grid;
    }

    /// <summary>The bucket of a logit.</summary>
    public readonly int BucketOf(float z) => Highest - DeviceMath.Floor(z * Scale);

    /// <summary>Adds a logit to its bucket. Returns 1 where its s was cut though no bucket next to 0 is concerned.</summary>
    public readonly int Put(float z, ArrayView<int> pool, ref int dropped)
    {
        if (!(z > float.NegativeInfinity)) return 0;
        if (z < Floor)
        {
            dropped++;
            return 0;
        }
        var y = z * Scale;
        var floor = DeviceMath.Floor(y);
        var s = y - floor - 0.5f;
        var b = Highest - floor;
        if (!IsWide)
        {
            Atomic.Add(ref pool[b], (int)(s * NarrowFirst));
            Atomic.Add(ref pool[RowShape.NarrowBuckets + b], (1 << CountShift) + (int)(s * s * NarrowSecond));
            return 0;
        }
        var first = (int)(s * WideFirst);
        Atomic.Add(ref pool[b], 1);
        Atomic.Add(ref pool[RowShape.WideBuckets + b], first);
        Atomic.Add(ref pool[(2 * RowShape.WideBuckets) + b], (int)(s * s * WideSecond));
        return first == s * WideFirst || IsNextToZero(b) ? 0 : 1;
    }

    /// <summary>Whether the s of a bucket's tokens need not be whole in its unit, however they were rounded.</summary>
    public readonly bool IsNextToZero(int b)
    {
        var floor = Highest - b;
        return IsWide ? floor is 0 or -1 : floor is > -10 and < 9;
    }

    /// <summary>z - max at the centre of a bucket.</summary>
    public readonly double Centre(int b) => ((Highest - b + 0.5) * Width) - Largest;

    /// <summary>z - max at the upper edge of a bucket.</summary>
    public readonly double UpperEdge(int b) => ((Highest - b + 1.0) * Width) - Largest;

    /// <summary>The lower edge of a bucket.</summary>
    public readonly float LowerEdge(int b) => (float)((Highest - b) * Width);
}
