using ILGPU;

namespace Silo.Models.Cuda.Kernels;

/// <summary>Sorted tokens: z - max; their masses under p and under a q, and the sums of these.</summary>
internal struct TokenList(ArrayView<double> all, int capacity)
{
    public ArrayView<double> Z = all.SubView(0, capacity), EP = all.SubView(capacity, capacity), CP = all.SubView(2L * capacity, capacity),
        EQ = all.SubView(3L * capacity, capacity), CQ = all.SubView(4L * capacity, capacity);

    public int Count = 0;
}

/// <summary>A row's part of the device's memory.</summary>
internal readonly struct RowMemory(ArrayView<double> reals, ArrayView<int> wholes, ArrayView<long> fixeds, ArrayView<int> words, RowShape shape)
{
    public readonly ArrayView<double> Reals = reals;
    public readonly ArrayView<int> Wholes = wholes;
    public readonly ArrayView<long> Fixeds = fixeds;
    public readonly ArrayView<int> Words = words;
    public readonly RowShape Shape = shape;

    /// <summary>Tokens of each bucket, and the sums of s and s².</summary>
    public ArrayView<int> Tokens => Wholes.SubView(0, RowShape.NarrowBuckets);

    public ArrayView<double> First => Reals.SubView(0, RowShape.NarrowBuckets);

    public ArrayView<double> Second => Reals.SubView(RowShape.NarrowBuckets, RowShape.NarrowBuckets);

    /// <summary>Masses of each bucket under p, and under the q at hand.</summary>
    public ArrayView<double> MassP => Reals.SubView(2 * RowShape.NarrowBuckets, RowShape.NarrowBuckets);

    public ArrayView<double> MassQ => Reals.SubView(3 * RowShape.NarrowBuckets, RowShape.NarrowBuckets);

    public TokenList Top => new(Reals.SubView(RowShape.TopAt, 5 * RowShape.TopCapacity), RowShape.TopCapacity);

    public TokenList Captured => new(Reals.SubView(RowShape.CapturedAt, 5 * Shape.CapturedCapacity), Shape.CapturedCapacity);

    /// <summary>Of each crossing: the mass above its bucket and the one to be reached.</summary>
    public ArrayView<double> Above => Reals.SubView(Shape.AboveAt, Shape.Crossings);

    public ArrayView<double> Target => Reals.SubView(Shape.TargetAt, Shape.Crossings);

    /// <summary>Of each crossing: its bucket, or <see cref="RowFeatures.InTop"/>; the tokens above it; the width.</summary>
    public ArrayView<int> Bucket => Wholes.SubView(RowShape.CrossingsAt, Shape.Crossings);

    public ArrayView<int> TokensAbove => Wholes.SubView(RowShape.CrossingsAt + Shape.Crossings, Shape.Crossings);

    public ArrayView<int> Width => Wholes.SubView(RowShape.CrossingsAt + (2 * Shape.Crossings), Shape.Crossings);

    /// <summary>The slot of its bucket; the key of the token at which the mass is reached, and how many of that key are taken.</summary>
    public ArrayView<int> Slot => Wholes.SubView(RowShape.CrossingsAt + (3 * Shape.Crossings), Shape.Crossings);

    public ArrayView<int> Key => Wholes.SubView(RowShape.CrossingsAt + (4 * Shape.Crossings), Shape.Crossings);

    public ArrayView<int> Ties => Wholes.SubView(RowShape.CrossingsAt + (5 * Shape.Crossings), Shape.Crossings);

    /// <summary>The keys of a wanted bucket's tokens.</summary>
    public ArrayView<int> List(int slot) => Wholes.SubView(Shape.ListsAt + (slot * RowShape.ListCapacity), RowShape.ListCapacity);

    /// <summary>Their masses for a crossing, in units of 2^-52 of the bucket's upper edge.</summary>
    public ArrayView<long> Masses(int crossing) => Fixeds.SubView((long)crossing * RowShape.ListCapacity, RowShape.ListCapacity);

    /// <summary>What is known of a temperature.</summary>
    public ArrayView<double> State(int t) => Reals.SubView(Shape.StateAt + (t * RowShape.StateSize), RowShape.StateSize);
}
