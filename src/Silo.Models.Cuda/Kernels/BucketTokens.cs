using ILGPU;

namespace Silo.Models.Cuda.Kernels;

/// <summary>
/// The tokens of the few buckets of the tail in which a mass is reached, or p crosses q. Their masses are added as whole numbers, so that the order in
/// which threads fetched them does not matter; a warp finds each place by bisection.
/// </summary>
internal static class BucketTokens
{
    private const double One = 1L << 52;

    public static void Resolve(ArrayView<float> z, Tail tail, Tempered p, ArrayView<int> pool, RowMemory memory)
    {
        for (var i = Group.IdxX; i < (RowShape.NarrowBuckets + 31) / 32; i += Group.DimX) pool[i] = 0;
        Group.Barrier();
        if (Group.IdxX == 0) Want(pool, memory);
        Group.Barrier();
        if (memory.Words[Words.Slots] == 0) return;
        Fetch(z, tail, pool, memory);
        int warps = Group.DimX / Warp.WarpSize, mine = Warp.WarpIdx;
        for (var crossing = mine; crossing < memory.Shape.Crossings; crossing += warps)
            if (memory.Bucket[crossing] >= 0) Place(crossing, tail, crossing < 4 ? p : RowFeatures.Known(memory.State((crossing - 4) / 4)), memory);
        Group.Barrier();
        for (var t = mine; t < memory.Shape.Temperatures; t += warps)
        {
            var state = memory.State(t);
            var q = RowFeatures.Known(state);
            var retained = Prefix(1, tail, q.Lambda, memory);
            var preOnPost = Prefix(4 + (4 * t) + 1, tail, 1, memory);
            var tv = Distance(RowFeatures.BalanceBucketOf(state), tail, p, q, memory);
            if (Warp.LaneIdx == 0) RowFeatures.AddRest(state, retained, preOnPost, tv);
        }
        Group.Barrier();
    }

    /// <summary>Gives each bucket that is wanted a slot.</summary>
    private static void Want(ArrayView<int> pool, RowMemory memory)
    {
        memory.Words[Words.Slots] = 0;
        for (var crossing = 0; crossing < memory.Shape.Crossings; crossing++)
            if (memory.Bucket[crossing] >= 0) memory.Slot[crossing] = SlotOf(memory.Bucket[crossing], pool, memory.Words);
        for (var t = 0; t < memory.Shape.Temperatures; t++)
        {
            var bucket = RowFeatures.BalanceBucketOf(memory.State(t));
            if (bucket >= 0) SlotOf(bucket, pool, memory.Words);
        }
    }

    private static int SlotOf(int bucket, ArrayView<int> pool, ArrayView<int> words)
    {
        var slots = words[Words.Slots];
        for (var slot = 0; slot < slots; slot++)
            if (words[Words.Bucket + slot] == bucket) return slot;
        words[Words.Bucket + slots] = bucket;
        words[Words.Tokens + slots] = 0;
        words[Words.Low + slots] = int.MaxValue;
        words[Words.High + slots] = int.MinValue;
        words[Words.Slots] = slots + 1;
        pool[bucket >> 5] |= 1 << (bucket & 31);
        return slots;
    }

    private static void Fetch(ArrayView<float> z, Tail tail, ArrayView<int> pool, RowMemory memory)
    {
        int n = (int)z.Length, id = Group.IdxX, step = Group.DimX;
        for (; id + (3 * step) < n; id += 4 * step)
        {
            float z0 = z[id], z1 = z[id + step], z2 = z[id + (2 * step)], z3 = z[id + (3 * step)];
            Take(z0, tail, pool, memory);
            Take(z1, tail, pool, memory);
            Take(z2, tail, pool, memory);
            Take(z3, tail, pool, memory);
        }
        for (; id < n; id += step) Take(z[id], tail, pool, memory);
        Group.Barrier();
    }

    private static void Take(float z, Tail tail, ArrayView<int> pool, RowMemory memory)
    {
        if (!(z > float.NegativeInfinity) || z < tail.Floor) return;
        var bucket = tail.BucketOf(z);
        if ((pool[bucket >> 5] & (1 << (bucket & 31))) == 0) return;
        var words = memory.Words;
        var slot = 0;
        while (words[Words.Bucket + slot] != bucket) slot++;
        var key = DeviceMath.Key(z);
        var place = Atomic.Add(ref words[Words.Tokens + slot], 1);
        Atomic.Min(ref words[Words.Low + slot], key);
        Atomic.Max(ref words[Words.High + slot], key);
        if (place < RowShape.ListCapacity) memory.List(slot)[place] = key;
    }

    private static long MassOf(int key, double lambda, Tail tail, double edge) => (long)(DeviceMath.Exp(lambda * (DeviceMath.FromKey(key) - tail.Largest - edge)) * One);

    /// <summary>Finds the token of its bucket at which a mass is reached.</summary>
    private static void Place(int crossing, Tail tail, Tempered sums, RowMemory memory)
    {
        var words = memory.Words;
        var slot = memory.Slot[crossing];
        int n = words[Words.Tokens + slot], low = words[Words.Low + slot], high = words[Words.High + slot];
        var list = memory.List(slot);
        var masses = memory.Masses(crossing);
        double edge = tail.UpperEdge(memory.Bucket[crossing]), unit = DeviceMath.Exp(sums.Lambda * edge) / One;
        double above = memory.Above[crossing], target = memory.Target[crossing], need = (target - above) / unit;
        long before = 0;
        int larger = 0, equal = n;
        if (low == high) { }
        else if (n > RowShape.ListCapacity || !(need > 0))
        {
            words[Words.Undecided] = 1;
            equal = 0;
        }
        else
        {
            for (var i = Warp.LaneIdx; i < n; i += Warp.WarpSize) masses[i] = MassOf(list[i], sums.Lambda, tail, edge);
            while (low < high)
            {
                var middle = low + ((high - low + 1) / 2);
                if (Upwards(list, masses, n, middle) >= need) low = middle;
                else high = middle - 1;
            }
            before = Upwards(list, masses, n, low + 1);
            long counts = 0;
            for (var i = Warp.LaneIdx; i < n; i += Warp.WarpSize) counts += list[i] > low ? 1 : list[i] == low ? 1L << 32 : 0;
            counts = Block.SumOfWarp(counts);
            larger = (int)(counts & 0xFFFFFFFF);
            equal = (int)(counts >> 32);
        }
        if (Warp.LaneIdx != 0 || equal == 0) return;
        var one = MassOf(low, sums.Lambda, tail, edge);
        var ties = (int)((need - before) / one);
        if ((double)ties * one < need - before) ties++;
        ties = ties < 1 ? 1 : ties > equal ? equal : ties;
        memory.Width[crossing] = memory.TokensAbove[crossing] + larger + ties;
        memory.Key[crossing] = low;
        memory.Ties[crossing] = ties;
        var reached = above + ((before + ((double)ties * one)) * unit);
        if (!sums.IsCertain(target, above + ((before + ((ties - 1.0) * one)) * unit), reached)) words[Words.Undecided] = 1;
    }

    /// <summary>Mass of the tokens from a key upwards, in their unit.</summary>
    private static long Upwards(ArrayView<int> list, ArrayView<long> masses, int n, int key)
    {
        long sum = 0;
        for (var i = Warp.LaneIdx; i < n; i += Warp.WarpSize)
            if (list[i] >= key) sum += masses[i];
        return Block.SumOfWarp(sum);
    }

    /// <summary>Mass under another temperature of the tokens of a crossing's bucket, up to the one at which it was reached.</summary>
    private static double Prefix(int crossing, Tail tail, double lambda, RowMemory memory)
    {
        var bucket = memory.Bucket[crossing];
        if (bucket < 0) return 0;
        var slot = memory.Slot[crossing];
        int n = memory.Words[Words.Tokens + slot], key = memory.Key[crossing];
        var list = memory.List(slot);
        var edge = tail.UpperEdge(bucket);
        long sum = 0;
        for (var i = Warp.LaneIdx; i < n && i < RowShape.ListCapacity; i += Warp.WarpSize)
            if (list[i] > key) sum += MassOf(list[i], lambda, tail, edge);
        sum = Block.SumOfWarp(sum);
        return (sum + ((double)memory.Ties[crossing] * MassOf(key, lambda, tail, edge))) * (DeviceMath.Exp(lambda * edge) / One);
    }

    /// <summary>Sum of |p - q| over the bucket in which they cross.</summary>
    private static double Distance(int bucket, Tail tail, Tempered p, Tempered q, RowMemory memory)
    {
        if (bucket < 0) return 0;
        var words = memory.Words;
        var slot = 0;
        while (words[Words.Bucket + slot] != bucket) slot++;
        var n = words[Words.Tokens + slot];
        if (n == 0) return 0;
        if (words[Words.Low + slot] == words[Words.High + slot]) return n * Difference(words[Words.Low + slot], tail, p, q);
        if (n > RowShape.ListCapacity)
        {
            words[Words.Undecided] = 1;
            return 0;
        }
        var list = memory.List(slot);
        long sum = 0;
        for (var i = Warp.LaneIdx; i < n; i += Warp.WarpSize) sum += (long)(Difference(list[i], tail, p, q) * One);
        return Block.SumOfWarp(sum) / One;
    }

    private static double Difference(int key, Tail tail, Tempered p, Tempered q)
    {
        var z = DeviceMath.FromKey(key) - tail.Largest;
        return Math.Abs((DeviceMath.Exp(z) / p.Sum) - (DeviceMath.Exp(q.Lambda * z) / q.Sum));
    }
}
