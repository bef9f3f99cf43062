using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Silo.Core.Numerics;

namespace Silo.Core.Features;

/// <summary>
/// Token features from an ordered list of distinct logits and how many tokens have each, in float64: sorted rows, rows of
/// few distinct values (bfloat16), and the captured tokens. Reusable; nothing is allocated after construction.
/// </summary>
/// <remarks>
/// All tokens with one logit have one probability, and among themselves they are ordered by id, so ids matter only to the
/// rank of x, which the caller counts. Sums run in eight lanes in a fixed order, so the bits do not depend on the machine.
/// </remarks>
internal sealed class WeightedTokens
{
    private const int Block = 64;

    private readonly double[] z;       // distinct logits minus the largest, descending
    private readonly double[] weight;  // tokens with that logit; 0 in the padding
    private readonly double[] p, q;    // probability of one such token
    private readonly double[] beforeP, beforeQ, tokensBefore; // sums over all earlier blocks
    private int distinct, padded, blocks;
    private double largest;
    private double logSumP;
    private double entropyP;
    private readonly Prefix[] reachP = new Prefix[4];

    /// <summary>The first tokens of the order: all of the groups before <c>Group</c> and <c>Inside</c> tokens of it.</summary>
    private readonly record struct Prefix(int Group, int Inside, int Width);

    /// <param name="capacity">Most distinct logits that will be added.</param>
    public WeightedTokens(int capacity)
    {
        var length = (capacity + Block - 1) / Block * Block;
        z = new double[length];
        weight = new double[length];
        p = new double[length];
        q = new double[length];
        beforeP = new double[length / Block + 1];
        beforeQ = new double[length / Block + 1];
        tokensBefore = new double[length / Block + 1];
    }

    /// <summary>Number of distinct logits.</summary>
    public int Distinct => distinct;

    /// <summary>Begins a new row.</summary>
    public void Clear() => distinct = 0;

    /// <summary>Adds the next logit, not above the last one, for so many tokens. Returns its group.</summary>
    public int Add(float logit, int tokens)
    {
        if (distinct == 0) largest = logit;
        var value = logit - largest;
        if (distinct > 0 && z[distinct - 1] == value)
        {
            weight[distinct - 1] += tokens;
            return distinct - 1;
        }
        z[distinct] = value;
        weight[distinct] = tokens;
        return distinct++;
    }

    /// <summary>Adds a token for each of the logits, which descend; after <see cref="Clear"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddAll(ReadOnlySpan<float> logits)
    {
        largest = logits[0];
        var top = Vector512.Create(largest);
        var i = 0;
        for (; i <= logits.Length - 8; i += 8)
        {
            var eight = Vector256.Create(logits.Slice(i, 8));
            (Vector512.Create(Vector256.WidenLower(eight), Vector256.WidenUpper(eight)) - top).CopyTo(z, i);
        }
        for (; i < logits.Length; i++) z[i] = logits[i] - largest;
        var equals = false;
        for (i = 0; i <= logits.Length - 9; i += 8) equals |= Vector512.EqualsAny(Load(z, i), Load(z, i + 1));
        for (; i < logits.Length - 1; i++) equals |= z[i] == z[i + 1];
        if (equals)
        {
            foreach (var logit in logits) Add(logit, 1);
            return;
        }
        weight.AsSpan(0, logits.Length).Fill(1);
        distinct = logits.Length;
    }

    /// <summary>The group of a logit that was added.</summary>
    public int GroupOf(float logit)
    {
        var value = logit - largest;
        int low = 0, high = distinct - 1;
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (z[middle] > value) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>The logit of a group.</summary>
    public float LogitOf(int group) => (float)(z[group] + largest);

    /// <summary>Number of tokens with the logit of a group.</summary>
    public int TokensOf(int group) => (int)weight[group];

    /// <summary>Number of tokens in the groups before one.</summary>
    public int TokensBefore(int group)
    {
        var tokens = tokensBefore[group / Block];
        for (var i = group / Block * Block; i < group; i++) tokens += weight[i];
        return (int)tokens;
    }

    /// <summary>After the last <see cref="Add"/>: computes what depends on p alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Complete()
    {
        padded = (distinct + 7) & ~7;
        blocks = (distinct + Block - 1) / Block;
        for (var i = distinct; i < padded; i++) (z[i], weight[i]) = (z[distinct - 1], 0);
        var sum = Exponentiate(1, p, beforeP);
        logSumP = DeterministicMath.Log(sum);
        Normalise(p, beforeP, sum);
        var energy = Vector512<double>.Zero;
        for (var i = 0; i < padded; i += 8)
            energy = Vector512.FusedMultiplyAdd(Load(weight, i) * Load(p, i), Load(z, i), energy);
        entropyP = Math.Max(0, logSumP - Lanes.Sum(energy));
        CountTokens();
        for (var i = 0; i < 4; i++) reachP[i] = Reach(p, beforeP, FeatureThresholds.Masses[i]);
    }

    /// <summary>p-mass of the first k tokens of the order (all of them if there are fewer).</summary>
    public double MassOfFirst(int k)
    {
        var block = 0;
        while (block + 1 < blocks && tokensBefore[block + 1] < k) block++;
        double mass = beforeP[block], left = k - tokensBefore[block];
        for (var i = block * Block; left > 0 && i < distinct; i++)
        {
            mass += Math.Min(left, weight[i]) * p[i];
            left -= weight[i];
        }
        return mass;
    }

    /// <summary>p of one token of a group.</summary>
    public double ProbabilityOf(int group) => p[group];

    /// <summary>Writes the first <see cref="TokenFeatures.FullCount"/> columns for one temperature.</summary>
    /// <param name="temperature">T, above 0.</param>
    /// <param name="group">Group of the sampled token.</param>
    /// <param name="rank">1-based position of the sampled token.</param>
    /// <param name="row">Receives the columns.</param>
    public void Write(double temperature, int group, int rank, Span<double> row)
    {
        var inverse = 1 / temperature;
        var (q, beforeQ, logSumQ) = (p, beforeP, logSumP);
        Span<Prefix> reachQ = stackalloc Prefix[4];
        reachP.CopyTo(reachQ);
        if (temperature != 1)
        {
            (q, beforeQ) = (this.q, this.beforeQ);
            var sum = Exponentiate(inverse, q, beforeQ);
            logSumQ = DeterministicMath.Log(sum);
            Normalise(q, beforeQ, sum);
            for (var i = 0; i < 4; i++) reachQ[i] = Reach(q, beforeQ, FeatureThresholds.Masses[i]);
        }
        var outcome = temperature == 1 ? default : Compare(inverse, logSumQ);
        for (var i = 0; i < 4; i++)
        {
            row[(int)TokenFeature.WidthP50 + i] = reachP[i].Width;
            row[(int)TokenFeature.WidthQ50 + i] = reachQ[i].Width;
        }
        row[(int)TokenFeature.N95Q] = reachQ[2].Width;
        var retained = Math.Clamp(Mass(q, beforeQ, reachP[1]), 0, 1);
        row[(int)TokenFeature.Retained] = retained;
        row[(int)TokenFeature.Leak] = 1 - retained;
        row[(int)TokenFeature.PreOnPost] = Math.Clamp(Mass(p, beforeP, reachQ[1]), 0, 1);

        var entropyQ = temperature == 1 ? entropyP : Math.Max(0, logSumQ - outcome.EnergyQ);
        row[(int)TokenFeature.EntropyP] = entropyP;
        row[(int)TokenFeature.EntropyQ] = entropyQ;
        row[(int)TokenFeature.EntropyShift] = entropyQ - entropyP;
        row[(int)TokenFeature.KlQP] = Math.Max(0, outcome.KlQP);
        row[(int)TokenFeature.KlPQ] = Math.Max(0, outcome.KlPQ);
        row[(int)TokenFeature.Js] = Math.Max(0, outcome.Js);
        row[(int)TokenFeature.Tv] = Math.Clamp(outcome.Tv, 0, 1);
        row[(int)TokenFeature.Hellinger] = Math.Sqrt(outcome.SquaredHellinger);

        row[(int)TokenFeature.Top1P] = p[0];
        row[(int)TokenFeature.Top1Q] = q[0];
        row[(int)TokenFeature.MarginP] = Margin(p);
        row[(int)TokenFeature.MarginQ] = Margin(q);
        row[(int)TokenFeature.LogPX] = z[group] - logSumP;
        row[(int)TokenFeature.LogQX] = z[group] * inverse - logSumQ;
        row[(int)TokenFeature.RankX] = rank;
        row[(int)TokenFeature.OutsideX] = rank > reachP[1].Width ? 1 : 0;
    }

    private double Margin(double[] mass) => weight[0] > 1 ? 0 : distinct > 1 ? mass[0] - mass[1] : mass[0];

    /// <summary>Sums over all tokens that compare p with q.</summary>
    private record struct Comparison(double EnergyQ, double KlQP, double KlPQ, double Js, double Tv, double SquaredHellinger);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Comparison Compare(double inverse, double logSumQ)
    {
        var half = Vector512.Create(0.5);
        var smallest = Vector512.Create(1e-300);
        var (vInverse, vLogP, vLogQ) = (Vector512.Create(inverse), Vector512.Create(logSumP), Vector512.Create(logSumQ));
        Vector512<double> energy = default, klQP = default, klPQ = default, js = default, tv = default, hellinger = default;
        for (var i = 0; i < padded; i += 8)
        {
            var vz = Load(z, i);
            var (pi, qi) = (Load(p, i), Load(q, i));
            var (wp, wq) = (Load(weight, i) * pi, Load(weight, i) * qi);
            var scaled = vz * vInverse;
            var (logP, logQ) = (vz - vLogP, scaled - vLogQ);
            energy = Vector512.FusedMultiplyAdd(wq, scaled, energy);
            var difference = logQ - logP;
            klQP = Vector512.FusedMultiplyAdd(wq, difference, klQP);
            klPQ = Vector512.FusedMultiplyAdd(wp, -difference, klPQ);
            // Where p and q both underflow, any logarithm will do: it is multiplied by 0.
            var logM = DeterministicMath.LogOfNormal(Vector512.MaxNative((pi + qi) * half, smallest));
            js = Vector512.FusedMultiplyAdd(wp, logP - logM, js);
            js = Vector512.FusedMultiplyAdd(wq, logQ - logM, js);
            tv += Vector512.Abs(wp - wq);
            var root = Vector512.Sqrt(pi) - Vector512.Sqrt(qi);
            hellinger = Vector512.FusedMultiplyAdd(Load(weight, i), root * root, hellinger);
        }
        return new Comparison(Lanes.Sum(energy), Lanes.Sum(klQP), Lanes.Sum(klPQ), Lanes.Sum(js) / 2, Lanes.Sum(tv) / 2, Lanes.Sum(hellinger) / 2);
    }

    /// <summary>mass = e^(z / T), before = sums over earlier blocks; returns the sum over all tokens.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double Exponentiate(double inverse, double[] mass, double[] before)
    {
        var vInverse = Vector512.Create(inverse);
        var sum = 0.0;
        for (var block = 0; block < blocks; block++)
        {
            before[block] = sum;
            var end = Math.Min(padded, (block + 1) * Block);
            var lanes = Vector512<double>.Zero;
            for (var i = block * Block; i < end; i += 8)
            {
                var e = DeterministicMath.Exp(Load(z, i) * vInverse);
                e.CopyTo(mass, i);
                lanes = Vector512.FusedMultiplyAdd(Load(weight, i), e, lanes);
            }
            sum += Lanes.Sum(lanes);
        }
        before[blocks] = sum;
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Normalise(double[] mass, double[] before, double sum)
    {
        var v = Vector512.Create(sum);
        for (var i = 0; i < padded; i += 8) (Load(mass, i) / v).CopyTo(mass, i);
        for (var block = 0; block <= blocks; block++) before[block] /= sum;
    }

    private void CountTokens()
    {
        var tokens = 0.0;
        for (var block = 0; block < blocks; block++)
        {
            tokensBefore[block] = tokens;
            var end = Math.Min(padded, (block + 1) * Block);
            var lanes = Vector512<double>.Zero;
            for (var i = block * Block; i < end; i += 8) lanes += Load(weight, i);
            tokens += Lanes.Sum(lanes);
        }
        tokensBefore[blocks] = tokens;
    }

    /// <summary>The shortest prefix of the order that reaches a mass.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Prefix Reach(double[] mass, double[] before, double wanted)
    {
        var threshold = wanted - ReferenceFeatures.ThresholdSlack;
        var block = 0;
        while (block + 1 < blocks && before[block + 1] < threshold) block++;
        double cumulative = before[block], tokens = tokensBefore[block];
        var last = distinct - 1;
        for (var i = block * Block; ; i++)
        {
            var with = cumulative + weight[i] * mass[i];
            if (with < threshold && i < last)
            {
                cumulative = with;
                tokens += weight[i];
                continue;
            }
            var inside = weight[i] == 1 ? 1 : Math.Clamp(Math.Ceiling((threshold - cumulative) / mass[i]), 1, weight[i]);
            if (inside > 1 && cumulative + (inside - 1) * mass[i] >= threshold) inside--;
            else if (inside < weight[i] && cumulative + inside * mass[i] < threshold) inside++;
            return new Prefix(i, (int)inside, (int)(tokens + inside));
        }
    }

    private double Mass(double[] mass, double[] before, Prefix prefix)
    {
        var block = prefix.Group / Block;
        var sum = before[block];
        for (var i = block * Block; i < prefix.Group; i++) sum += weight[i] * mass[i];
        return sum + prefix.Inside * mass[prefix.Group];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Load(double[] values, int i) => Vector512.Create(values, i);
}
