using ILGPU;
using Silo.Core.Features;

namespace Silo.Models.Cuda.Kernels;

/// <summary>
/// The features of one row of logits by one block of threads; see docs/kernel.md, "On the device". At most four passes over the row: its range and
/// x's rank; the histogram; the top tokens; the tokens of the buckets in which a mass is passed. Rows of few tokens are the top tokens alone.
/// </summary>
internal static class RowKernel
{
    /// <summary>The row is one for the host: not numbers, too crowded, too wide, or an error that could decide a whole number. What no block has looked at, too.</summary>
    public const int ForHost = 0;

    /// <summary>The features are written.</summary>
    public const int Done = 1;

    // Words of shared memory: the row, then its wanted buckets.
    private const int Largest = 0, Smallest = 1, IsUnusual = 2, Unmasked = 3, BeforeX = 4, LowBits = 5, Cut = 6, TopCount = 7, Collected = 8,
        Inexact = 9, MostInBucket = 10, Dropped = 11;

    private const int Crowd = 1 << 16;

    // What may be left out, as a share of the row and as a part of an entropy.
    private const double MostDropped = 1e-8;

    /// <summary>Writes features and status of row <c>Grid.IdxX</c>.</summary>
    public static void Run(
        ArrayView<float> logits, ArrayView<int> tokens, ArrayView<double> temperatures, ArrayView<double> full, ArrayView<double> captured, ArrayView<int> status,
        ArrayView<double> reals, ArrayView<int> wholes, ArrayView<long> fixeds, RowShape shape)
    {
        var pool = SharedMemory.Allocate<int>(RowShape.Pool);
        var words = SharedMemory.Allocate<int>(Words.Count);
        var block = new Block(SharedMemory.Allocate<double>(32 * Block.PerWarp));
        var row = Grid.IdxX;
        var z = logits.SubView((long)row * shape.Vocabulary, shape.Vocabulary);
        var x = tokens[row];
        var memory = new RowMemory(
            reals.SubView((long)row * shape.Reals, shape.Reals), wholes.SubView((long)row * shape.Wholes, shape.Wholes),
            fixeds.SubView((long)row * shape.Fixeds, shape.Fixeds), words, shape);
        Survey(z, x, words);
        var count = words[Unmasked];
        if (words[IsUnusual] != 0 || count == 0) return;
        double largest = DeviceMath.FromKey(words[Largest]);
        var zx = z[x] - largest;
        var rank = words[BeforeX] + 1;

        var t = temperatures.SubView((long)row * shape.Temperatures, shape.Temperatures);
        var tail = new Tail();
        var edge = float.NegativeInfinity;
        if (count > RowShape.TopCapacity)
        {
            double hottest = 1;
            for (var i = 0; i < shape.Temperatures; i++)
                if (t[i] > hottest) hottest = t[i];
            tail = FillHistogram(z, pool, words, memory, block, largest, 1 / hottest);
            if (tail.Length == 0) return;
            if (!FindCut(ref tail, memory, words, shape)) return;
            edge = tail.LowerEdge(tail.First - 1);
        }
        var top = memory.Top;
        top.Count = SortTop(z, edge, pool, words, top.Z, largest);

        var into = full.SubView((long)row * shape.Temperatures * TokenFeatures.FullCount, shape.Temperatures * TokenFeatures.FullCount);
        var p = RowFeatures.Compute(z, t, top, tail, zx, rank, pool, memory, block, into, TokenFeatures.FullCount);
        if (words[Words.Undecided] != 0) return;

        var kept = shape.Capture < top.Count ? shape.Capture : top.Count;
        var appended = rank > shape.Capture;
        var mass = ((kept > 0 ? top.CP[kept - 1] : 0) + (appended ? DeviceMath.Exp(zx) : 0)) / p.Sum;
        var list = memory.Captured;
        for (var i = Group.IdxX; i < kept; i += Group.DimX) list.Z[i] = top.Z[i];
        if (appended && Group.IdxX == 0) list.Z[kept] = zx;
        list.Count = appended ? kept + 1 : kept;
        Group.Barrier();
        var columns = TokenFeatures.CapturedCount;
        into = captured.SubView((long)row * shape.Temperatures * columns, shape.Temperatures * columns);
        RowFeatures.Compute(z, t, list, new Tail(), zx, appended ? shape.Capture + 1 : rank, pool, memory, block, into, columns);
        if (words[Words.Undecided] != 0) return;
        var size = (shape.Capture < shape.Vocabulary ? shape.Capture : shape.Vocabulary) + (appended ? 1 : 0);
        for (var i = Group.IdxX; i < shape.Temperatures; i += Group.DimX)
        {
            into[(i * columns) + (int)TokenFeature.CapturedMass] = mass;
            into[(i * columns) + (int)TokenFeature.CapturedSize] = size;
            into[(i * columns) + (int)TokenFeature.Appended] = appended ? 1 : 0;
        }
        if (Group.IdxX == 0) status[row] = Done;
    }

    /// <summary>Range, number and rounding of the tokens that are not masked, and how many stand before x.</summary>
    private static void Survey(ArrayView<float> z, int x, ArrayView<int> words)
    {
        for (var i = Group.IdxX; i < Words.Count; i += Group.DimX) words[i] = i == Largest ? int.MinValue : i == Smallest ? int.MaxValue : 0;
        Group.Barrier();
        var n = (int)z.Length;
        var keyX = DeviceMath.Key(z[x]);
        var seen = new Seen { Largest = int.MinValue, Smallest = int.MaxValue };
        int id = Group.IdxX, step = Group.DimX;
        // Several loads at once, or a thread would wait for each.
        for (; id + (7 * step) < n; id += 8 * step)
        {
            float z0 = z[id], z1 = z[id + step], z2 = z[id + (2 * step)], z3 = z[id + (3 * step)];
            float z4 = z[id + (4 * step)], z5 = z[id + (5 * step)], z6 = z[id + (6 * step)], z7 = z[id + (7 * step)];
            seen.Add(z0, id, x, keyX);
            seen.Add(z1, id + step, x, keyX);
            seen.Add(z2, id + (2 * step), x, keyX);
            seen.Add(z3, id + (3 * step), x, keyX);
            seen.Add(z4, id + (4 * step), x, keyX);
            seen.Add(z5, id + (5 * step), x, keyX);
            seen.Add(z6, id + (6 * step), x, keyX);
            seen.Add(z7, id + (7 * step), x, keyX);
        }
        for (; id < n; id += step) seen.Add(z[id], id, x, keyX);
        seen.TakeWarp();
        if (Warp.LaneIdx == 0)
        {
            Atomic.Max(ref words[Largest], seen.Largest);
            Atomic.Min(ref words[Smallest], seen.Smallest);
            Atomic.Or(ref words[LowBits], seen.LowBits);
            Atomic.Or(ref words[IsUnusual], seen.IsUnusual);
            Atomic.Add(ref words[Unmasked], seen.Unmasked);
            Atomic.Add(ref words[BeforeX], seen.BeforeX);
        }
        Group.Barrier();
    }

    /// <summary>What a thread has seen of a row.</summary>
    private struct Seen
    {
        public int Largest, Smallest, LowBits, IsUnusual, Unmasked, BeforeX;

        public void Add(float z, int id, int x, int keyX)
        {
            var bits = (int)Interop.FloatAsInt(z);
            // +infinity and everything that is not a number have all bits of the exponent; -infinity masks.
            if ((bits & 0x7F800000) == 0x7F800000)
            {
                if (bits != unchecked((int)0xFF800000)) IsUnusual = 1;
                return;
            }
            var key = DeviceMath.Key(z);
            if (key > Largest) Largest = key;
            if (key < Smallest) Smallest = key;
            LowBits |= bits & 0xFFFF;
            Unmasked++;
            if (key > keyX || (key == keyX && id < x)) BeforeX++;
        }

        /// <summary>Takes in what the other threads of the warp have seen.</summary>
        public void TakeWarp()
        {
            for (var step = Warp.WarpSize >> 1; step > 0; step >>= 1)
            {
                var (largest, smallest) = (Warp.ShuffleXor(Largest, step), Warp.ShuffleXor(Smallest, step));
                if (largest > Largest) Largest = largest;
                if (smallest < Smallest) Smallest = smallest;
                LowBits |= Warp.ShuffleXor(LowBits, step);
                IsUnusual |= Warp.ShuffleXor(IsUnusual, step);
                Unmasked += Warp.ShuffleXor(Unmasked, step);
                BeforeX += Warp.ShuffleXor(BeforeX, step);
            }
        }
    }

    /// <summary>
    /// Sorts the row into buckets and leaves each bucket's number of tokens and moments in memory. A row that crowds is tried on the finest grid there is
    /// room for, then with wider words, as rows of bfloat16 numbers are at once. Of length 0 where it fits none.
    /// </summary>
    private static Tail FillHistogram(ArrayView<float> z, ArrayView<int> pool, ArrayView<int> words, RowMemory memory, Block block, double largest, double smallestLambda)
    {
        double smallest = DeviceMath.FromKey(words[Smallest]);
        var range = largest - smallest;
        var wide = words[LowBits] == 0;
        var grid = Tail.UsualGrid(range);
        var mayDrop = true;
        while (true)
        {
            var scale = DeviceMath.PowerOfTwo(grid);
            if (largest * scale > Tail.Furthest || largest * scale < -Tail.Furthest) return new Tail();
            if (!mayDrop && (range * scale > (wide ? RowShape.WideBuckets : RowShape.NarrowBuckets) - 2 || smallest * scale < -Tail.Furthest)) return new Tail();
            var tail = new Tail(grid, wide, largest, smallest);
            Scatter(z, tail, pool, words);
            tail.Dropped = words[Dropped];
            if (tail.DroppedMass(smallestLambda) > MostDropped)
            {
                if (!mayDrop) return new Tail();
                // Not so negligible: the whole row, on a coarser grid.
                mayDrop = false;
                grid = Tail.Grid(range, wide, finest: false);
                continue;
            }
            var own = Own(tail.Length);
            double counted = 0;
            for (var b = own.X; b < own.Y; b++) counted += Decode(b, tail, pool, memory);
            var part = block.Scan(counted);
            if (wide)
            {
                var most = 0;
                for (var b = own.X; b < own.Y; b++)
                    if (memory.Tokens[b] > most) most = memory.Tokens[b];
                Atomic.Max(ref words[MostInBucket], most);
                Group.Barrier();
                if (words[MostInBucket] > Crowd) return new Tail();
                tail.IsExact = words[Inexact] == 0;
            }
            if (part.Total + tail.Dropped == words[Unmasked])
            {
                tail.Lo = own.X;
                tail.Hi = own.Y;
                tail.TokensBefore = (int)part.Start;
                return tail;
            }
            // The counts of a bucket overflowed.
            if (wide) return new Tail();
            mayDrop = false;
            var finest = Tail.Grid(range, wide: false, finest: true);
            wide = finest <= grid;
            grid = wide ? Tail.Grid(range, wide: true, finest: true) : finest;
        }
    }

    private static Index2D Own(int length)
    {
        var each = (length + Group.DimX - 1) / Group.DimX;
        var from = Group.IdxX * each;
        return new Index2D(from < length ? from : length, from + each < length ? from + each : length);
    }

    private static void Scatter(ArrayView<float> z, Tail tail, ArrayView<int> pool, ArrayView<int> words)
    {
        // Others may still read what an earlier try has left.
        Group.Barrier();
        for (var i = Group.IdxX; i < RowShape.Pool; i += Group.DimX) pool[i] = 0;
        if (Group.IdxX == 0) words[Dropped] = words[Inexact] = 0;
        Group.Barrier();
        var n = (int)z.Length;
        int id = Group.IdxX, step = Group.DimX, inexact = 0, dropped = 0;
        for (; id + (3 * step) < n; id += 4 * step)
        {
            float z0 = z[id], z1 = z[id + step], z2 = z[id + (2 * step)], z3 = z[id + (3 * step)];
            inexact += tail.Put(z0, pool, ref dropped);
            inexact += tail.Put(z1, pool, ref dropped);
            inexact += tail.Put(z2, pool, ref dropped);
            inexact += tail.Put(z3, pool, ref dropped);
        }
        for (; id < n; id += step) inexact += tail.Put(z[id], pool, ref dropped);
        if (inexact > 0) Atomic.Add(ref words[Inexact], inexact);
        if (dropped > 0) Atomic.Add(ref words[Dropped], dropped);
        Group.Barrier();
    }

    private static int Decode(int b, Tail tail, ArrayView<int> pool, RowMemory memory)
    {
        var (count, first, second) = (0, 0, 0);
        if (tail.IsWide)
        {
            count = pool[b];
            first = pool[RowShape.WideBuckets + b];
            second = pool[(2 * RowShape.WideBuckets) + b];
        }
        else
        {
            first = pool[b];
            var word = pool[RowShape.NarrowBuckets + b];
            count = (word >> Tail.CountShift) & Tail.MostNarrow;
            second = word & ((1 << Tail.CountShift) - 1);
        }
        memory.Tokens[b] = count;
        memory.First[b] = first * tail.FirstUnit;
        // The squares were cut, not rounded: half a unit a token puts the error in the middle.
        memory.Second[b] = (second + (0.5 * count)) * tail.SecondUnit;
        return count;
    }

    /// <summary>The buckets that hold the top tokens, and what lies below them as the tail.</summary>
    private static bool FindCut(ref Tail tail, RowMemory memory, ArrayView<int> words, RowShape shape)
    {
        int above = tail.TokensBefore, wanted = shape.TopWanted;
        for (var b = tail.Lo; b < tail.Hi; b++)
        {
            var with = above + memory.Tokens[b];
            if (above < wanted && with >= wanted)
            {
                words[Cut] = b;
                words[TopCount] = with;
            }
            above = with;
        }
        Group.Barrier();
        tail.First = words[Cut] + 1;
        if (tail.Lo < tail.First)
        {
            tail.TokensBefore = words[TopCount];
            tail.Lo = tail.Hi < tail.First ? tail.Hi : tail.First;
        }
        return words[TopCount] > 0 && words[TopCount] <= RowShape.TopCapacity;
    }

    /// <summary>Fetches and sorts the tokens from an edge on; z - max in order. Returns their number.</summary>
    private static int SortTop(ArrayView<float> z, float edge, ArrayView<int> pool, ArrayView<int> words, ArrayView<double> sorted, double largest)
    {
        Group.Barrier();
        int n = (int)z.Length, id = Group.IdxX, step = Group.DimX;
        for (; id + (7 * step) < n; id += 8 * step)
        {
            float z0 = z[id], z1 = z[id + step], z2 = z[id + (2 * step)], z3 = z[id + (3 * step)];
            float z4 = z[id + (4 * step)], z5 = z[id + (5 * step)], z6 = z[id + (6 * step)], z7 = z[id + (7 * step)];
            Take(z0, edge, pool, words);
            Take(z1, edge, pool, words);
            Take(z2, edge, pool, words);
            Take(z3, edge, pool, words);
            Take(z4, edge, pool, words);
            Take(z5, edge, pool, words);
            Take(z6, edge, pool, words);
            Take(z7, edge, pool, words);
        }
        for (; id < n; id += step) Take(z[id], edge, pool, words);
        Group.Barrier();
        // Each finds its own place by counting who comes before; equal logits may stand in any order.
        var count = words[Collected];
        for (var i = Group.IdxX; i < count; i += Group.DimX)
        {
            var key = pool[i];
            var place = 0;
            for (var j = 0; j < count; j++)
            {
                var other = pool[j];
                if (other > key || (other == key && j < i)) place++;
            }
            sorted[place] = DeviceMath.FromKey(key) - largest;
        }
        Group.Barrier();
        return count;
    }

    private static void Take(float z, float edge, ArrayView<int> pool, ArrayView<int> words)
    {
        if (z >= edge && z > float.NegativeInfinity) pool[Atomic.Add(ref words[Collected], 1)] = DeviceMath.Key(z);
    }
}
