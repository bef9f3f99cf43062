using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Silo.Core.Numerics;

namespace Silo.Core.Features;

/// <summary>
/// softmax(lambda z) of one row, unnormalised, seen through its histogram: the top tokens one by one in float64, the rest
/// by bucket, each bucket with a proven relative error. lambda = 1 is p, lambda = 1 / T is q. See docs/kernel.md.
/// </summary>
internal sealed unsafe class Tempered
{
    private readonly double[] _top;            // e^(lambda z) of the top tokens, in order
    private readonly double[] _topCumulative;  // its running sums
    private readonly AlignedBuffer<double> _mass = new(LogitHistogram.MaxBuckets);
    private readonly double[] _above = new double[LogitHistogram.MaxBuckets / LogitHistogram.Block + 1];
    private readonly AlignedBuffer<double> _weights = new(LogitHistogram.Block);
    private readonly double[] _bases = new double[LogitHistogram.MaxBuckets / LogitHistogram.Block];
    private HistogramRow _row = null!;
    private double _relative, _absolute;

    public Tempered(int topCapacity)
    {
        _top = new double[topCapacity + 8];
        _topCumulative = new double[topCapacity + 8];
    }

    /// <summary>1 / T.</summary>
    public double Lambda { get; private set; }

    /// <summary>The sum of e^(lambda (z - max)) over the row.</summary>
    public double Sum { get; private set; }

    /// <summary>log of <see cref="Sum"/>.</summary>
    public double LogSum { get; private set; }

    /// <summary>The mean of z - max under this distribution.</summary>
    public double Energy { get; private set; }

    /// <summary>The error of its sums.</summary>
    public ErrorBound Bound { get; private set; }

    /// <summary>e^(lambda (z - max)) of the top tokens, in order.</summary>
    public double[] Top => _top;

    /// <summary>Sums the row; false where its error could show in a real to 1e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool Fill(HistogramRow row, double lambda)
    {
        _row = row;
        Lambda = lambda;
        var vLambda = Vector512.Create(lambda);
        var energy = Vector512<double>.Zero;
        for (var i = 0; i < row.TopPadded; i += 8)
        {
            var z = Vector512.Create(row.Top, i);
            var e = DeterministicMath.Exp(z * vLambda) * Vector512.Create(row.TopWeight, i);
            e.CopyTo(_top, i);
            energy = Vector512.FusedMultiplyAdd(e, z, energy);
        }
        var sum = 0.0;
        for (var i = 0; i < row.TopCount; i++)
        {
            sum += _top[i];
            _topCumulative[i] = sum;
        }
        var topSum = sum;
        var topEnergy = Lanes.Sum(energy);
        if (!FillTail(topSum, out sum, out var tailEnergy)) return false;
        Sum = sum;
        LogSum = DeterministicMath.Log(sum);
        Energy = (topEnergy + tailEnergy) / sum;
        Bound = new ErrorBound(sum, _relative, (sum - topSum) / sum, _absolute);
        return _relative * Bound.Tail < 1e-7;
    }

    /// <summary>
    /// e^(lambda z) in a bucket, with x = 2s in [-1, 1] and kappa = lambda h / 2, is e^(lambda centre) times
    /// e^(kappa x) = I0 + 2 I1 T1(x) + 2 I2 T2(x) + ..., cut after the second Chebyshev polynomial: the rest is at most
    /// 2 (I3 + I4 + ...) below kappa³ e^kappa / 24.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool FillTail(double topSum, out double sum, out double energy)
    {
        var histogram = _row.Histogram;
        double h = histogram.Width, kappa = Lambda * h / 2;
        sum = topSum;
        energy = 0;
        _relative = _absolute = 0;
        var blocks = _row.TailBlocks;
        if (kappa > 0.25)
        {
            // So low a temperature leaves the tail nothing, or the row is for the sorted path.
            if (LogitHistogram.MaxVocabulary * DeterministicMath.Exp(Lambda * _row.TailCeiling) > 1e-15) return false;
            _mass.Span[..histogram.Length].Clear();
            for (var block = 0; block <= blocks; block++) _above[block] = topSum;
            return true;
        }
        var quarter = kappa * kappa / 4;
        var i0 = 1 + quarter * (1 + quarter * (1 + quarter / 9) / 4);
        var i1 = kappa / 2 * (1 + quarter * (1 + quarter * (1 + quarter / 12) / 3) / 2);
        var i2 = kappa * kappa / 8 * (1 + quarter * (1 + quarter * (1 + quarter / 15) / 8) / 3);
        var (c0, c1, c2) = (Vector512.Create(i0 - 2 * i2), Vector512.Create(4 * i1), Vector512.Create(16 * i2));
        var step = Vector512.Create(h);
        // In the mean of z the third moment is missing: s³ is close to 3/16 s there (the Chebyshev fit again).
        var c0PlusThird = c0 + c2 * Vector512.Create(0.1875);

        for (var k = 0; k < LogitHistogram.Block; k += 8) Positions(k, Lambda * h).Store(_weights.Start + k);
        for (var k = 0; k < blocks; k++) _bases[k] = Lambda * _row.Centre(k * LogitHistogram.Block);
        for (var k = blocks; (k & 7) != 0; k++) _bases[k] = 0;
        for (var k = 0; k < blocks; k += 8) DeterministicMath.Exp(Vector512.Create(_bases, k)).CopyTo(_bases, k);

        var energies = Vector512<double>.Zero;
        double* count = histogram.Count.Start, first = histogram.First.Start, second = histogram.Second.Start;
        double* m = _mass.Start, w = _weights.Start;
        var stride = step * Vector512.Create(8.0);
        var origin = _row.Centre(0);
        for (var block = blocks - 1; block >= 0; block--)
        {
            _above[block + 1] = sum;
            var start = block * LogitHistogram.Block;
            var vBase = Vector512.Create(_bases[block]);
            var lanes = Vector512<double>.Zero;
            var centre = Vector512.Create(origin + start * h) + Ramp * step;
            for (var k = 0; k < LogitHistogram.Block; k += 8)
            {
                var weight = Vector512.Load(w + k) * vBase;
                var n = Vector512.Load(count + start + k);
                var s1 = Vector512.Load(first + start + k);
                var s2 = Vector512.Load(second + start + k);
                var e = weight * Vector512.FusedMultiplyAdd(c2, s2, Vector512.FusedMultiplyAdd(c1, s1, c0 * n));
                e.Store(m + start + k);
                lanes += e;
                energies = Vector512.FusedMultiplyAdd(centre, e, energies);
                var around = Vector512.FusedMultiplyAdd(c0PlusThird, s1, c1 * s2);
                energies = Vector512.FusedMultiplyAdd(weight * step, around, energies);
                centre += stride;
            }
            sum += Lanes.Sum(lanes);
        }
        _above[0] = sum;
        energy = Lanes.Sum(energies);
        _relative = (kappa * kappa * kappa / 24 + kappa * kappa / (1 << 16)) * 1.01 * DeterministicMath.Exp(2 * kappa);
        _absolute = 2 * kappa / (1 << 20) * NearZero() / sum;
        return true;
    }

    private static Vector512<double> Ramp => Vector512.Create(0.0, 1, 2, 3, 4, 5, 6, 7);

    private static Vector512<double> Positions(int from, double step) =>
        DeterministicMath.Exp((Ramp + Vector512.Create((double)from)) * Vector512.Create(step));

    /// <summary>Mass of the buckets next to 0, where s 2^20 need not be whole and is cut.</summary>
    private double NearZero()
    {
        var from = Math.Max(0, -9 - _row.Histogram.Lowest);
        var to = Math.Min(_row.TailBlocks * LogitHistogram.Block, 10 - _row.Histogram.Lowest);
        var sum = 0.0;
        for (var j = from; j < to; j++) sum += _mass[j];
        return sum;
    }

    /// <summary>Sum over the first tokens of the order, all of them top tokens.</summary>
    public double OfTop(int tokens) => tokens == 0 ? 0 : _topCumulative[tokens - 1];

    /// <summary>Sum over all tokens above a tail bucket.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public double Above(int bucket)
    {
        var block = bucket / LogitHistogram.Block;
        var sum = _above[block + 1];
        for (var j = (block + 1) * LogitHistogram.Block - 1; j > bucket; j--) sum += _mass[j];
        return sum;
    }

    /// <summary>Finds where the order reaches a share m: at a top token, or in a tail bucket still to be resolved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public Crossing Reach(double m)
    {
        var target = (m - ReferenceFeatures.ThresholdSlack) * Sum;
        var last = _row.TopCount - 1;
        if (_topCumulative[last] >= target)
        {
            var k = 0;
            while (_topCumulative[k] < target) k++;
            var certain = Bound.IsCertain(target, k == 0 ? 0 : _topCumulative[k - 1], _topCumulative[k]);
            return new Crossing(-1, 0, 0, k + 1, target, certain);
        }
        var block = _row.TailBlocks - 1;
        while (block > 0 && _above[block] < target) block--;
        var cumulative = _above[block + 1];
        var j = (block + 1) * LogitHistogram.Block - 1;
        var tokens = _row.TokensAbove(block + 1);
        for (; j > block * LogitHistogram.Block; j--)
        {
            var with = cumulative + _mass[j];
            if (with >= target) break;
            cumulative = with;
            tokens += (int)_row.Histogram.Count[j];
        }
        return new Crossing(j, cumulative, tokens, 0, target, true);
    }
}
