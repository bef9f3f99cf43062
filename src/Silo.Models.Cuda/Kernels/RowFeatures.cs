using ILGPU;
using Silo.Core.Features;

namespace Silo.Models.Cuda.Kernels;

/// <summary>The 28 features of sorted tokens and the tail below them, at each temperature; the captured tokens have no tail.</summary>
internal static class RowFeatures
{
    /// <summary>In place of a bucket: the mass is reached among the sorted tokens, or nowhere yet.</summary>
    public const int InTop = -1, Nowhere = -2;

    // Of each temperature: what Tempered says, sums over whole buckets, and what compares p with q.
    private const int Lambda = 0, Sum = 1, LogSum = 2, Energy = 3, TailShare = 4, Relative = 5, Absolute = 6, Rounding = 7,
        Retained = 8, PreOnPost = 9, Js = 10, Tv = 11, Roots = 12, Balance = 13, BalanceBucket = 14, Second = 15;

    /// <summary>Writes the features; <see cref="Words.Undecided"/> says whether they are to be trusted. Returns the sums of p.</summary>
    /// <param name="z">The row's logits.</param>
    /// <param name="temperatures">Its temperatures.</param>
    /// <param name="list">The sorted tokens.</param>
    /// <param name="tail">The rest.</param>
    /// <param name="zx">z - max of the sampled token.</param>
    /// <param name="rank">Its position in the order.</param>
    /// <param name="pool">Shared memory.</param>
    /// <param name="memory">The row's memory.</param>
    /// <param name="block">The block's sums.</param>
    /// <param name="into">Receives a feature row per temperature.</param>
    /// <param name="columns">Columns of such a row.</param>
    public static Tempered Compute(
        ArrayView<float> z, ArrayView<double> temperatures, TokenList list, Tail tail, double zx, int rank, ArrayView<int> pool, RowMemory memory, Block block,
        ArrayView<double> into, int columns)
    {
        for (var i = Group.IdxX; i < memory.Shape.Crossings; i += Group.DimX) memory.Bucket[i] = Nowhere;
        var p = Tempered.Fill(list, list.EP, list.CP, tail, memory.MassP, memory, block, 1);
        if (!p.IsFine) memory.Words[Words.Undecided] = 1;
        ReachAll(p, 0, list.CP, list.Count, tail, memory.MassP, memory);
        Group.Barrier();
        for (var t = 0; t < memory.Shape.Temperatures; t++)
        {
            var lambda = 1 / temperatures[t];
            var q = Tempered.Fill(list, list.EQ, list.CQ, tail, memory.MassQ, memory, block, lambda);
            if (!q.IsFine || !Fits(tail, p, q)) memory.Words[Words.Undecided] = 1;
            ReachAll(q, 4 + (4 * t), list.CQ, list.Count, tail, memory.MassQ, memory);
            var state = memory.State(t);
            Compare(list, tail, p, q, memory, block, state);
            if (Group.IdxX == 0)
            {
                state[Lambda] = lambda;
                state[Sum] = q.Sum;
                state[LogSum] = q.LogSum;
                state[Energy] = q.Energy;
                state[TailShare] = q.TailShare;
                state[Relative] = q.Relative;
                state[Absolute] = q.Absolute;
                state[Rounding] = q.Rounding;
                state[Second] = list.Count > 1 ? list.EQ[1] : 0;
            }
            // Of p's first 90 % under q, and the other way round, what whole buckets hold.
            Whole(memory.Bucket[1], memory.Width[1], list.CQ, tail, q.TailStart, memory.MassQ, state, Retained);
            Whole(memory.Bucket[4 + (4 * t) + 1], memory.Width[4 + (4 * t) + 1], list.CP, tail, p.TailStart, memory.MassP, state, PreOnPost);
            Group.Barrier();
        }
        if (tail.Length > 0 && memory.Words[Words.Undecided] == 0) BucketTokens.Resolve(z, tail, p, pool, memory);
        for (var i = Group.IdxX; i < memory.Shape.Crossings; i += Group.DimX)
            if (memory.Bucket[i] == Nowhere) memory.Words[Words.Undecided] = 1;
        Group.Barrier();
        for (var t = Group.IdxX; t < memory.Shape.Temperatures; t += Group.DimX) Write(list, p, zx, rank, memory, t, into.SubView(t * columns, columns));
        Group.Barrier();
        return p;
    }

    /// <summary>What <see cref="Tempered"/> said of a temperature, as far as its errors go.</summary>
    public static Tempered Known(ArrayView<double> state) => new()
    {
        Lambda = state[Lambda],
        Sum = state[Sum],
        TailShare = state[TailShare],
        Relative = state[Relative],
        Absolute = state[Absolute],
        Rounding = state[Rounding],
    };

    public static double BalanceOf(ArrayView<double> state) => state[Balance];

    public static int BalanceBucketOf(ArrayView<double> state) => (int)state[BalanceBucket];

    /// <summary>Adds what the tokens of single buckets hold.</summary>
    public static void AddRest(ArrayView<double> state, double retained, double preOnPost, double tv)
    {
        state[Retained] += retained;
        state[PreOnPost] += preOnPost;
        state[Tv] += tv;
    }

    // 0.5, 0.9, 0.95, 0.99, each counted as reached 1e-12 before.
    private static void ReachAll(Tempered sums, int first, ArrayView<double> cumulative, int count, Tail tail, ArrayView<double> mass, RowMemory memory)
    {
        Reach(sums, first, 0.5, cumulative, count, tail, mass, memory);
        Reach(sums, first + 1, 0.9, cumulative, count, tail, mass, memory);
        Reach(sums, first + 2, 0.95, cumulative, count, tail, mass, memory);
        Reach(sums, first + 3, 0.99, cumulative, count, tail, mass, memory);
    }

    /// <summary>The thread that owns the place where a share is reached writes it down: a width, or a bucket still to be resolved.</summary>
    private static void Reach(Tempered sums, int crossing, double share, ArrayView<double> cumulative, int count, Tail tail, ArrayView<double> mass, RowMemory memory)
    {
        var target = (share - 1e-12) * sums.Sum;
        var own = Tempered.OwnTokens(count);
        var before = own.X > 0 ? cumulative[own.X - 1] : 0;
        for (var i = own.X; i < own.Y; i++)
        {
            var reached = cumulative[i];
            if (before < target && reached >= target)
            {
                memory.Bucket[crossing] = InTop;
                memory.Width[crossing] = i + 1;
                if (!sums.IsCertain(target, before, reached)) memory.Words[Words.Undecided] = 1;
            }
            before = reached;
        }
        if (tail.Length == 0 || !(sums.TopSum < target) || !(sums.TailStart < target) || !(target <= sums.TailEnd)) return;
        var sum = sums.TailStart;
        var tokens = tail.TokensBefore;
        for (var b = tail.Lo; b < tail.Hi; b++)
        {
            var with = sum + mass[b];
            if (memory.Tokens[b] > 0)
            {
                memory.Bucket[crossing] = b;
                memory.Above[crossing] = sum;
                memory.Target[crossing] = target;
                memory.TokensAbove[crossing] = tokens;
                memory.Width[crossing] = 0;
                if (with >= target) return;
            }
            sum = with;
            tokens += memory.Tokens[b];
        }
    }

    private static void Whole(int bucket, int width, ArrayView<double> cumulative, Tail tail, double start, ArrayView<double> mass, ArrayView<double> state, int into)
    {
        if (bucket < 0)
        {
            if (Group.IdxX == 0 && bucket == InTop) state[into] = cumulative[width - 1];
            return;
        }
        if (bucket < tail.Lo || bucket >= tail.Hi) return;
        for (var b = tail.Lo; b < bucket; b++) start += mass[b];
        state[into] = start;
    }

    /// <summary>Whether the cubes of Jensen-Shannon and Hellinger on buckets so wide do not show.</summary>
    private static bool Fits(Tail tail, Tempered p, Tempered q)
    {
        var half = tail.Width / 2;
        return half * half * half / 24 * (p.TailShare + (q.Lambda * q.Lambda * q.Lambda * q.TailShare)) <= 5e-7;
    }

    /// <summary>Jensen-Shannon, total variation and Hellinger, but for the tokens of the bucket in which p and q cross.</summary>
    private static void Compare(TokenList list, Tail tail, Tempered p, Tempered q, RowMemory memory, Block block, ArrayView<double> state)
    {
        // log q - log p = (lambda - 1) z - gap is 0 in one place.
        double gap = q.LogSum - p.LogSum, balance = gap / (q.Lambda - 1), smallest = 1e-300;
        var balanceBucket = InTop;
        if (tail.Length > 0 && q.Lambda != 1)
        {
            var y = (balance + tail.Largest) / tail.Width;
            if (y > -Tail.Furthest && y < Tail.Furthest)
            {
                var b = tail.Highest - DeviceMath.Floor((float)y);
                if (b >= tail.First && b < tail.Length) balanceBucket = b;
            }
        }
        double js = 0, tv = 0, roots = 0;
        var own = Tempered.OwnTokens(list.Count);
        for (var i = own.X; i < own.Y; i++)
        {
            double pi = list.EP[i] / p.Sum, qi = list.EQ[i] / q.Sum, half = (pi + qi) / 2;
            var logM = DeviceMath.Log(half > smallest ? half : smallest);
            js += (pi * (list.Z[i] - p.LogSum - logM)) + (qi * ((list.Z[i] * q.Lambda) - q.LogSum - logM));
            tv += Math.Abs(pi - qi);
            var root = Math.Sqrt(pi) - Math.Sqrt(qi);
            roots += root * root;
        }
        double h = tail.Width, middle = (1 + q.Lambda) / 2;
        for (var b = tail.Lo; b < tail.Hi; b++)
        {
            double n = memory.Tokens[b], s1 = memory.First[b] * h, s2 = memory.Second[b] * h * h / 2, z = tail.Centre(b);
            if (n == 0) continue;
            if (b != balanceBucket) tv += Math.Abs((memory.MassP[b] / p.Sum) - (memory.MassQ[b] / q.Sum));
            double logP = z - p.LogSum, logQ = (z * q.Lambda) - q.LogSum, pi = DeviceMath.Exp(logP), qi = DeviceMath.Exp(logQ);
            // s³ is taken as 3/16 s.
            var third = h * h / 32;
            var sum = pi + qi > smallest ? pi + qi : smallest;
            var logM = DeviceMath.Log(sum / 2);
            double a = logP - logM, c = logQ - logM, value = (pi * a) + (qi * c);
            c *= q.Lambda;
            double lambdaQ = q.Lambda * qi, drift = (pi + lambdaQ) / sum, bend = ((pi + (q.Lambda * lambdaQ)) / sum) - (drift * drift);
            double da = 1 - drift, db = q.Lambda - drift;
            js += (value * n) + (s1 * ((pi * a) + (qi * c) + (third * ((pi * (a + (2 * da) - bend)) + (lambdaQ * ((q.Lambda * (c + (2 * db))) - bend))))))
                + (s2 * ((pi * (a + da)) + (lambdaQ * (c + db))));
            double r0 = 2 * Math.Sqrt(pi * qi), r1 = r0 * middle, r2 = r1 * middle, r3 = r2 * middle;
            double q1 = lambdaQ, q2 = q1 * q.Lambda, q3 = q2 * q.Lambda;
            roots += ((pi - r0 + qi) * n) + (s1 * (pi - r1 + q1 + (third * (pi - r3 + q3)))) + (s2 * (pi - r2 + q2));
        }
        var sums = block.Sum(new Three(js, tv, roots));
        if (Group.IdxX != 0) return;
        state[Balance] = balance;
        state[BalanceBucket] = balanceBucket;
        state[Js] = sums.A / 2;
        state[Tv] = sums.B;
        state[Roots] = sums.C / 2;
    }

    private static void Write(TokenList list, Tempered p, double zx, int rank, RowMemory memory, int t, ArrayView<double> row)
    {
        var state = memory.State(t);
        var first = 4 + (4 * t);
        for (var i = 0; i < 4; i++)
        {
            row[(int)TokenFeature.WidthP50 + i] = memory.Width[i];
            row[(int)TokenFeature.WidthQ50 + i] = memory.Width[first + i];
        }
        row[(int)TokenFeature.N95Q] = memory.Width[first + 2];
        var retained = Share(state[Retained] / state[Sum]);
        row[(int)TokenFeature.Retained] = retained;
        row[(int)TokenFeature.Leak] = 1 - retained;
        row[(int)TokenFeature.PreOnPost] = Share(state[PreOnPost] / p.Sum);
        double lambda = state[Lambda], entropyP = NotBelow0(p.LogSum - p.Energy), entropyQ = NotBelow0(state[LogSum] - (lambda * state[Energy]));
        var (slope, gap, same) = (lambda - 1, state[LogSum] - p.LogSum, lambda == 1);
        row[(int)TokenFeature.EntropyP] = entropyP;
        row[(int)TokenFeature.EntropyQ] = entropyQ;
        row[(int)TokenFeature.EntropyShift] = entropyQ - entropyP;
        row[(int)TokenFeature.KlQP] = same ? 0 : NotBelow0((slope * state[Energy]) - gap);
        row[(int)TokenFeature.KlPQ] = same ? 0 : NotBelow0(gap - (slope * p.Energy));
        row[(int)TokenFeature.Js] = same ? 0 : NotBelow0(state[Js]);
        row[(int)TokenFeature.Tv] = same ? 0 : Share(state[Tv] / 2);
        row[(int)TokenFeature.Hellinger] = same ? 0 : Math.Sqrt(NotBelow0(state[Roots]));
        // The first token of the order weighs e^0.
        row[(int)TokenFeature.Top1P] = 1 / p.Sum;
        row[(int)TokenFeature.Top1Q] = 1 / state[Sum];
        row[(int)TokenFeature.MarginP] = (1 - (list.Count > 1 ? list.EP[1] : 0)) / p.Sum;
        row[(int)TokenFeature.MarginQ] = (1 - state[Second]) / state[Sum];
        row[(int)TokenFeature.LogPX] = zx - p.LogSum;
        row[(int)TokenFeature.LogQX] = (zx * lambda) - state[LogSum];
        row[(int)TokenFeature.RankX] = rank;
        row[(int)TokenFeature.OutsideX] = rank > memory.Width[1] ? 1 : 0;
    }

    private static double NotBelow0(double value) => value > 0 ? value : 0;

    private static double Share(double value) => value < 0 ? 0 : value > 1 ? 1 : value;
}
