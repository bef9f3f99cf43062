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

    private readonly double[] _z;       // distinct logits minus the largest, descending
    private readonly double[] _weight;  // tokens with that logit; 0 in the padding
    private readonly double[] _p, _q;    // probability of one such token
    private readonly double[] _beforeP, _beforeQ, _tokensBefore; // sums over all earlier blocks
    private int _distinct, _padded, _blocks;
    private double _largest;
    private double _logSumP;
    private double _entropyP;
    private readonly Prefix[] _reachP = new Prefix[4];

    /// <summary>The first tokens of the order: all of the groups before <c>Group</c> and <c>Inside</c> tokens of it.</summary>
    private readonly record struct Prefix(int Group, int Inside, int Width);

    /// <param name="capacity">Most distinct logits that will be added.</param>
    public WeightedTokens(int capacity)
    {
        var length = (capacity + Block - 1) / Block * Block;
        _z = new double[length];
        _weight = new double[length];
        _p = new double[length];
        _q = new double[length];
        _beforeP = new double[length / Block + 1];
        _beforeQ = new double[length / Block + 1];
        _tokensBefore = new double[length / Block + 1];
    }

    /// <summary>Number of distinct logits.</summary>
    public int Distinct => _distinct;

    /// <summary>Begins a new row.</summary>
    public void Clear() => _distinct = 0;

    /// <summary>Adds the next logit, not above the last one, for so many tokens. Returns its group.</summary>
    public int Add(float logit, int tokens)
    {
        if (_distinct == 0) _largest = logit;
        var value = logit - _largest;
        if (_distinct > 0 && _z[_distinct - 1] == value)
        {
            _weight[_distinct - 1] += tokens;
            return _distinct - 1;
        }
        _z[_distinct] = value;
        _weight[_distinct] = tokens;
        return _distinct++;
    }

    /// <summary>Adds a token for each of the logits, which descend; after <see cref="Clear"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddAll(ReadOnlySpan<float> logits)
    {
        _largest = logits[0];
        var top = Vector512.Create(_largest);
        var i = 0;
        for (; i <= logits.Length - 8; i += 8)
        {
            var eight = Vector256.Create(logits.Slice(i, 8));
            (Vector512.Create(Vector256.WidenLower(eight), Vector256.WidenUpper(eight)) - top).CopyTo(_z, i);
        }
        for (; i < logits.Length; i++) _z[i] = logits[i] - _largest;
        var equals = false;
        for (i = 0; i <= logits.Length - 9; i += 8) equals |= Vector512.EqualsAny(Load(_z, i), Load(_z, i + 1));
        for (; i < logits.Length - 1; i++) equals |= _z[i] == _z[i + 1];
        if (equals)
        {
            foreach (var logit in logits) Add(logit, 1);
            return;
        }
        _weight.AsSpan(0, logits.Length).Fill(1);
        _distinct = logits.Length;
    }

    /// <summary>The group of a logit that was added.</summary>
    public int GroupOf(float logit)
    {
        var value = logit - _largest;
        int low = 0, high = _distinct - 1;
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (_z[middle] > value) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>The logit of a group.</summary>
    public float LogitOf(int group) => (float)(_z[group] + _largest);

    /// <summary>Number of tokens with the logit of a group.</summary>
    public int TokensOf(int group) => (int)_weight[group];

    /// <summary>Number of tokens in the groups before one.</summary>
    public int TokensBefore(int group)
    {
        var tokens = _tokensBefore[group / Block];
        for (var i = group / Block * Block; i < group; i++) tokens += _weight[i];
        return (int)tokens;
    }

    /// <summary>After the last <see cref="Add"/>: computes what depends on p alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Complete()
    {
        _padded = (_distinct + 7) & ~7;
        _blocks = (_distinct + Block - 1) / Block;
        for (var i = _distinct; i < _padded; i++) (_z[i], _weight[i]) = (_z[_distinct - 1], 0);
        var sum = Exponentiate(1, _p, _beforeP);
        _logSumP = DeterministicMath.Log(sum);
        Normalise(_p, _beforeP, sum);
        var energy = Vector512<double>.Zero;
        for (var i = 0; i < _padded; i += 8)
            energy = Vector512.FusedMultiplyAdd(Load(_weight, i) * Load(_p, i), Load(_z, i), energy);
        _entropyP = Math.Max(0, _logSumP - Lanes.Sum(energy));
        CountTokens();
        for (var i = 0; i < 4; i++) _reachP[i] = Reach(_p, _beforeP, FeatureThresholds.Masses[i]);
    }

    /// <summary>p-mass of the first k tokens of the order (all of them if there are fewer).</summary>
    public double MassOfFirst(int k)
    {
        var block = 0;
        while (block + 1 < _blocks && _tokensBefore[block + 1] < k) block++;
        double mass = _beforeP[block], left = k - _tokensBefore[block];
        for (var i = block * Block; left > 0 && i < _distinct; i++)
        {
            mass += Math.Min(left, _weight[i]) * _p[i];
            left -= _weight[i];
        }
        return mass;
    }

    /// <summary>p of one token of a group.</summary>
    public double ProbabilityOf(int group) => _p[group];

    /// <summary>Writes the first <see cref="TokenFeatures.FullCount"/> columns for one temperature.</summary>
    /// <param name="temperature">T, above 0.</param>
    /// <param name="group">Group of the sampled token.</param>
    /// <param name="rank">1-based position of the sampled token.</param>
    /// <param name="row">Receives the columns.</param>
    public void Write(double temperature, int group, int rank, Span<double> row)
    {
        var inverse = 1 / temperature;
        var (q, beforeQ, logSumQ) = (_p, _beforeP, _logSumP);
        Span<Prefix> reachQ = stackalloc Prefix[4];
        _reachP.CopyTo(reachQ);
        if (temperature != 1)
        {
            (q, beforeQ) = (_q, _beforeQ);
            var sum = Exponentiate(inverse, q, beforeQ);
            logSumQ = DeterministicMath.Log(sum);
            Normalise(q, beforeQ, sum);
            for (var i = 0; i < 4; i++) reachQ[i] = Reach(q, beforeQ, FeatureThresholds.Masses[i]);
        }
        var outcome = temperature == 1 ? default : Compare(inverse, logSumQ);
        for (var i = 0; i < 4; i++)
        {
            row[(int)TokenFeature.WidthP50 + i] = _reachP[i].Width;
            row[(int)TokenFeature.WidthQ50 + i] = reachQ[i].Width;
        }
        row[(int)TokenFeature.N95Q] = reachQ[2].Width;
        var retained = Math.Clamp(Mass(q, beforeQ, _reachP[1]), 0, 1);
        row[(int)TokenFeature.Retained] = retained;
        row[(int)TokenFeature.Leak] = 1 - retained;
        row[(int)TokenFeature.PreOnPost] = Math.Clamp(Mass(_p, _beforeP, reachQ[1]), 0, 1);

        var entropyQ = temperature == 1 ? _entropyP : Math.Max(0, logSumQ - outcome.EnergyQ);
        row[(int)TokenFeature.EntropyP] = _entropyP;
        row[(int)TokenFeature.EntropyQ] = entropyQ;
        row[(int)TokenFeature.EntropyShift] = entropyQ - _entropyP;
        row[(int)TokenFeature.KlQP] = Math.Max(0, outcome.KlQP);
        row[(int)TokenFeature.KlPQ] = Math.Max(0, outcome.KlPQ);
        row[(int)TokenFeature.Js] = Math.Max(0, outcome.Js);
        row[(int)TokenFeature.Tv] = Math.Clamp(outcome.Tv, 0, 1);
        row[(int)TokenFeature.Hellinger] = Math.Sqrt(outcome.SquaredHellinger);

        row[(int)TokenFeature.Top1P] = _p[0];
        row[(int)TokenFeature.Top1Q] = q[0];
        row[(int)TokenFeature.MarginP] = Margin(_p);
        row[(int)TokenFeature.MarginQ] = Margin(q);
        row[(int)TokenFeature.LogPX] = _z[group] - _logSumP;
        row[(int)TokenFeature.LogQX] = _z[group] * inverse - logSumQ;
        row[(int)TokenFeature.RankX] = rank;
        row[(int)TokenFeature.OutsideX] = rank > _reachP[1].Width ? 1 : 0;
    }

    private double Margin(double[] mass) => _weight[0] > 1 ? 0 : _distinct > 1 ? mass[0] - mass[1] : mass[0];

    /// <summary>Sums over all tokens that compare p with q.</summary>
    private record struct Comparison(double EnergyQ, double KlQP, double KlPQ, double Js, double Tv, double SquaredHellinger);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Comparison Compare(double inverse, double logSumQ)
    {
        var half = Vector512.Create(0.5);
        var smallest = Vector512.Create(1e-300);
        var (vInverse, vLogP, vLogQ) = (Vector512.Create(inverse), Vector512.Create(_logSumP), Vector512.Create(logSumQ));
        Vector512<double> energy = default, klQP = default, klPQ = default, js = default, tv = default, hellinger = default;
        for (var i = 0; i < _padded; i += 8)
        {
            var vz = Load(_z, i);
            var (pi, qi) = (Load(_p, i), Load(_q, i));
            var (wp, wq) = (Load(_weight, i) * pi, Load(_weight, i) * qi);
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
            hellinger = Vector512.FusedMultiplyAdd(Load(_weight, i), root * root, hellinger);
        }
        return new Comparison(Lanes.Sum(energy), Lanes.Sum(klQP), Lanes.Sum(klPQ), Lanes.Sum(js) / 2, Lanes.Sum(tv) / 2, Lanes.Sum(hellinger) / 2);
    }

    /// <summary>mass = e^(z / T), before = sums over earlier blocks; returns the sum over all tokens.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double Exponentiate(double inverse, double[] mass, double[] before)
    {
        var vInverse = Vector512.Create(inverse);
        var sum = 0.0;
        for (var block = 0; block < _blocks; block++)
        {
            before[block] = sum;
            var end = Math.Min(_padded, (block + 1) * Block);
            var lanes = Vector512<double>.Zero;
            for (var i = block * Block; i < end; i += 8)
            {
                var e = DeterministicMath.Exp(Load(_z, i) * vInverse);
                e.CopyTo(mass, i);
                lanes = Vector512.FusedMultiplyAdd(Load(_weight, i), e, lanes);
            }
            sum += Lanes.Sum(lanes);
        }
        before[_blocks] = sum;
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Normalise(double[] mass, double[] before, double sum)
    {
        var v = Vector512.Create(sum);
        for (var i = 0; i < _padded; i += 8) (Load(mass, i) / v).CopyTo(mass, i);
        for (var block = 0; block <= _blocks; block++) before[block] /= sum;
    }

    private void CountTokens()
    {
        var tokens = 0.0;
        for (var block = 0; block < _blocks; block++)
        {
            _tokensBefore[block] = tokens;
            var end = Math.Min(_padded, (block + 1) * Block);
            var lanes = Vector512<double>.Zero;
            for (var i = block * Block; i < end; i += 8) lanes += Load(_weight, i);
            tokens += Lanes.Sum(lanes);
        }
        _tokensBefore[_blocks] = tokens;
    }

    /// <summary>The shortest prefix of the order that reaches a mass.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Prefix Reach(double[] mass, double[] before, double wanted)
    {
        var threshold = wanted - ReferenceFeatures.ThresholdSlack;
        var block = 0;
        while (block + 1 < _blocks && before[block + 1] < threshold) block++;
        double cumulative = before[block], tokens = _tokensBefore[block];
        var last = _distinct - 1;
        for (var i = block * Block; ; i++)
        {
            var with = cumulative + _weight[i] * mass[i];
            if (with < threshold && i < last)
            {
                cumulative = with;
                tokens += _weight[i];
                continue;
            }
            var inside = _weight[i] == 1 ? 1 : Math.Clamp(Math.Ceiling((threshold - cumulative) / mass[i]), 1, _weight[i]);
            if (inside > 1 && cumulative + (inside - 1) * mass[i] >= threshold) inside--;
            else if (inside < _weight[i] && cumulative + inside * mass[i] < threshold) inside++;
            return new Prefix(i, (int)inside, (int)(tokens + inside));
        }
    }

    private double Mass(double[] mass, double[] before, Prefix prefix)
    {
        var block = prefix.Group / Block;
        var sum = before[block];
        for (var i = block * Block; i < prefix.Group; i++) sum += _weight[i] * mass[i];
        return sum + prefix.Inside * mass[prefix.Group];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Load(double[] values, int i) => Vector512.Create(values, i);
}
