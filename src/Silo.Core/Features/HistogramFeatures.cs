using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Silo.Core.Numerics;

namespace Silo.Core.Features;

/// <summary>
/// The features of a whole row from its histogram, for any number of temperatures. See docs/kernel.md for why one histogram
/// serves them all and for the bound on its error.
/// </summary>
internal sealed class HistogramFeatures
{
    /// <summary>Temperatures that share one search for the tokens of single buckets.</summary>
    private const int AtOnce = 8;

    private readonly HistogramRow _row;
    private readonly CoarseMoments _coarse = new();
    private readonly Tempered _p, _q;
    private readonly Crossing[] _reachP = new Crossing[4];
    private readonly Pending[] _pending = new Pending[AtOnce];
    private readonly double[] _z = new double[1 << 10], _e = new double[1 << 10];

    /// <summary>What is known of one temperature before the tokens of single buckets are fetched.</summary>
    private sealed class Pending
    {
        public readonly Crossing[] ReachQ = new Crossing[4];
        public double Lambda, Sum, LogSum;
        public ErrorBound Bound;
        /// <summary>Sum of q over p's first 90 %, and of p over q's, as far as whole buckets go.</summary>
        public double Retained, PreOnPost;
        /// <summary>Where p = q, and the sums above that bucket.</summary>
        public int Balance;
        public double BalanceZ, AboveP, AboveQ;
    }

    public HistogramFeatures(int vocabularySize, int captureSize)
    {
        _row = new HistogramRow(vocabularySize, captureSize, 4 + 5 * AtOnce + 1);
        _p = new Tempered(_row.TopCapacity);
        _q = new Tempered(_row.TopCapacity);
        for (var i = 0; i < AtOnce; i++) _pending[i] = new Pending();
    }

    /// <summary>The largest logits in descending order, at least K of them, after a success.</summary>
    public ReadOnlySpan<float> TopLogits => _row.TopLogits;

    /// <summary>Position of x in the order.</summary>
    public int RankX => _row.RankX;

    /// <summary>p-mass of the first k tokens, k at most K.</summary>
    public double MassOfTop(int k) => _p.OfTop(k) / _p.Sum;

    /// <summary>log p of a logit.</summary>
    public double LogP(float logit) => logit - (double)_row.Histogram.Largest - _p.LogSum;

    /// <summary>What became of a row.</summary>
    public enum Outcome
    {
        /// <summary>The features are written.</summary>
        Done,

        /// <summary>The row does not fit the histogram.</summary>
        Unfit,

        /// <summary>The error of the histogram could decide an integer.</summary>
        Undecided,
    }

    /// <summary>Writes the full feature rows; anything but <see cref="Outcome.Done"/> leaves them half written.</summary>
    public Outcome TryCompute(ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> rows)
    {
        if (!_row.TryFill(logits, token)) return Outcome.Unfit;
        _coarse.Fill(_row);
        if (!_p.Fill(_row, 1)) return Outcome.Undecided;
        for (var i = 0; i < 4; i++)
            if (!(_reachP[i] = _p.Reach(FeatureThresholds.Masses[i])).Certain) return Outcome.Undecided;
        for (var from = 0; from < temperatures.Length; from += AtOnce)
        {
            var some = temperatures.Slice(from, Math.Min(AtOnce, temperatures.Length - from));
            var written = TryCompute(logits, some, token, rows[(from * TokenFeatures.FullCount)..], from == 0);
            _row.Release();
            if (!written) return Outcome.Undecided;
        }
        return Outcome.Done;
    }

    private bool TryCompute(ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> rows, bool first)
    {
        for (var i = 0; i < 4; i++) _row.Want(_reachP[i].Bucket);
        if (first) _row.WantX();
        for (var t = 0; t < temperatures.Length; t++)
            if (!Survey(temperatures[t], _pending[t], rows.Slice(t * TokenFeatures.FullCount, TokenFeatures.FullCount))) return false;
        _row.Pick(logits, token);

        for (var i = 0; i < 4; i++)
            if (_reachP[i].Width == 0 && !Resolve(ref _reachP[i], 1, _p.Bound)) return false;
        for (var t = 0; t < temperatures.Length; t++)
            if (!Finish(_pending[t], logits[token], rows.Slice(t * TokenFeatures.FullCount, TokenFeatures.FullCount))) return false;
        return true;
    }

    /// <summary>Everything about one temperature that needs no single tokens of the tail.</summary>
    private bool Survey(double temperature, Pending at, Span<double> features)
    {
        var lambda = 1 / temperature;
        var same = temperature == 1;
        var q = same ? _p : _q;
        if (!same && !q.Fill(_row, lambda)) return false;
        (at.Lambda, at.Sum, at.LogSum, at.Bound) = (lambda, q.Sum, q.LogSum, q.Bound);
        for (var i = 0; i < 4; i++)
        {
            at.ReachQ[i] = same ? _reachP[i] : q.Reach(FeatureThresholds.Masses[i]);
            if (!at.ReachQ[i].Certain) return false;
            _row.Want(at.ReachQ[i].Bucket);
        }
        at.Retained = Whole(q, _reachP[1]);
        at.PreOnPost = Whole(_p, at.ReachQ[1]);

        double entropyP = Math.Max(0, _p.LogSum - _p.Energy), entropyQ = Math.Max(0, q.LogSum - lambda * q.Energy);
        features[(int)TokenFeature.EntropyP] = entropyP;
        features[(int)TokenFeature.EntropyQ] = entropyQ;
        features[(int)TokenFeature.EntropyShift] = entropyQ - entropyP;
        features[(int)TokenFeature.Top1P] = _p.Top[0] / _p.Sum;
        features[(int)TokenFeature.Top1Q] = q.Top[0] / q.Sum;
        features[(int)TokenFeature.MarginP] = (_p.Top[0] - _p.Top[1]) / _p.Sum;
        features[(int)TokenFeature.MarginQ] = (q.Top[0] - q.Top[1]) / q.Sum;
        if (same)
        {
            features[(int)TokenFeature.KlQP..((int)TokenFeature.Hellinger + 1)].Clear();
            at.Balance = -1;
            at.AboveP = at.AboveQ = 0;
            return true;
        }
        // log q - log p = (lambda - 1) z - (log Zq - log Zp).
        double slope = lambda - 1, gap = q.LogSum - _p.LogSum;
        features[(int)TokenFeature.KlQP] = Math.Max(0, slope * q.Energy - gap);
        features[(int)TokenFeature.KlPQ] = Math.Max(0, gap - slope * _p.Energy);
        if (!Compare(q, features)) return false;
        at.BalanceZ = gap / slope;
        FindBalance(q, at);
        return true;
    }

    /// <summary>Sum over a prefix, but for the tokens of its last, unresolved bucket.</summary>
    private static double Whole(Tempered sums, Crossing end) => end.Bucket < 0 ? sums.OfTop(end.Width) : sums.Above(end.Bucket);

    /// <summary>p and q cross once, since log q - log p is affine in z: total variation is a difference of top masses.</summary>
    private void FindBalance(Tempered q, Pending at)
    {
        at.Balance = -1;
        if (_row.TailBlocks == 0 || at.BalanceZ >= _row.Top[_row.TopCount - 1])
        {
            var k = 0;
            while (k < _row.TopCount && _row.Top[k] > at.BalanceZ) k++;
            (at.AboveP, at.AboveQ) = (_p.OfTop(k), q.OfTop(k));
            return;
        }
        var bucket = Math.Max(0, _row.BucketAt(at.BalanceZ));
        if (bucket >= _row.TailBlocks * LogitHistogram.Block) bucket = _row.TailBlocks * LogitHistogram.Block - 1;
        at.Balance = bucket;
        (at.AboveP, at.AboveQ) = (_p.Above(bucket), q.Above(bucket));
        _row.Want(bucket);
    }

    /// <summary>Jensen-Shannon divergence and Hellinger distance; false where the buckets are too wide for the temperature.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool Compare(Tempered q, Span<double> features)
    {
        var half = Vector512.Create(0.5);
        var smallest = Vector512.Create(1e-300);
        var lambda = Vector512.Create(q.Lambda);
        Vector512<double> scaleP = Vector512.Create(1 / _p.Sum), scaleQ = Vector512.Create(1 / q.Sum);
        Vector512<double> logSumP = Vector512.Create(_p.LogSum), logSumQ = Vector512.Create(q.LogSum);
        Vector512<double> js = default, roots = default;
        for (var i = 0; i < _row.TopPadded; i += 8)
        {
            var top = Vector512.Create(_row.Top, i);
            Vector512<double> pi = Vector512.Create(_p.Top, i) * scaleP, qi = Vector512.Create(q.Top, i) * scaleQ;
            var logM = DeterministicMath.LogOfNormal(Vector512.MaxNative((pi + qi) * half, smallest));
            js = Vector512.FusedMultiplyAdd(pi, top - logSumP - logM, js);
            js = Vector512.FusedMultiplyAdd(qi, top * lambda - logSumQ - logM, js);
            var root = Vector512.Sqrt(pi) - Vector512.Sqrt(qi);
            roots = Vector512.FusedMultiplyAdd(root, root, roots);
        }
        if (_coarse.Compare(_row, _p, q) is not var (tailJs, tailRoots)) return false;
        features[(int)TokenFeature.Js] = Math.Max(0, Lanes.Sum(js) / 2 + tailJs);
        features[(int)TokenFeature.Hellinger] = Math.Sqrt(Math.Max(0, Lanes.Sum(roots) / 2 + tailRoots));
        return true;
    }

    /// <summary>Finds the token of a fetched bucket at which a mass is reached; false where the error could decide.</summary>
    private bool Resolve(ref Crossing crossing, double lambda, ErrorBound bound)
    {
        var n = Exponentials(crossing.Bucket, lambda);
        double before = crossing.Above;
        for (var i = 0; i < n; i++)
        {
            var reached = before + _e[i];
            if (reached >= crossing.Target)
            {
                crossing = crossing with { Width = crossing.TokensAbove + i + 1 };
                return bound.IsCertain(crossing.Target, before, reached);
            }
            before = reached;
        }
        return false;
    }

    /// <summary>e^(lambda (z - max)) of the tokens of a bucket, in order; returns their number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Exponentials(int bucket, double lambda)
    {
        var tokens = _row.Tokens(bucket);
        double largest = _row.Histogram.Largest;
        for (var i = 0; i < tokens.Length; i++) _z[i] = tokens[i] - largest;
        var vLambda = Vector512.Create(lambda);
        for (var i = 0; i < tokens.Length; i += 8) DeterministicMath.Exp(Vector512.Create(_z, i) * vLambda).CopyTo(_e, i);
        return tokens.Length;
    }

    /// <summary>Adds the tokens of the last bucket of a prefix.</summary>
    private double Rest(Crossing end, double lambda)
    {
        if (end.Bucket < 0) return 0;
        Exponentials(end.Bucket, lambda);
        var sum = 0.0;
        for (var i = 0; i < end.Width - end.TokensAbove; i++) sum += _e[i];
        return sum;
    }

    private bool Finish(Pending at, float x, Span<double> features)
    {
        for (var i = 0; i < 4; i++)
        {
            if (at.ReachQ[i].Width == 0 && !Resolve(ref at.ReachQ[i], at.Lambda, at.Bound)) return false;
            features[(int)TokenFeature.WidthP50 + i] = _reachP[i].Width;
            features[(int)TokenFeature.WidthQ50 + i] = at.ReachQ[i].Width;
        }
        features[(int)TokenFeature.N95Q] = at.ReachQ[2].Width;
        var retained = Math.Clamp((at.Retained + Rest(_reachP[1], at.Lambda)) / at.Sum, 0, 1);
        features[(int)TokenFeature.Retained] = retained;
        features[(int)TokenFeature.Leak] = 1 - retained;
        features[(int)TokenFeature.PreOnPost] = Math.Clamp((at.PreOnPost + Rest(at.ReachQ[1], 1)) / _p.Sum, 0, 1);
        if (at.Lambda != 1)
        {
            if (at.Balance >= 0)
            {
                at.AboveP += Balanced(at, 1);
                at.AboveQ += Balanced(at, at.Lambda);
            }
            features[(int)TokenFeature.Tv] = Math.Clamp(Math.Abs(at.AboveP / _p.Sum - at.AboveQ / at.Sum), 0, 1);
        }
        var shifted = x - (double)_row.Histogram.Largest;
        features[(int)TokenFeature.LogPX] = shifted - _p.LogSum;
        features[(int)TokenFeature.LogQX] = shifted * at.Lambda - at.LogSum;
        features[(int)TokenFeature.RankX] = _row.RankX;
        features[(int)TokenFeature.OutsideX] = _row.RankX > _reachP[1].Width ? 1 : 0;
        return true;
    }

    /// <summary>Sum over the tokens of the balance bucket that lie above the balance.</summary>
    private double Balanced(Pending at, double lambda)
    {
        var n = Exponentials(at.Balance, lambda);
        var sum = 0.0;
        for (var i = 0; i < n && _z[i] > at.BalanceZ; i++) sum += _e[i];
        return sum;
    }
}
