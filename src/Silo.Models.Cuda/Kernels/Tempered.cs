using ILGPU;

namespace Silo.Models.Cuda.Kernels;

/// <summary>softmax(lambda z) of a list of tokens and a tail, not normalised, and what is proven of its sums.</summary>
internal struct Tempered
{
    public double Lambda, Sum, LogSum, TopSum;

    /// <summary>The mean of z - max.</summary>
    public double Energy;

    /// <summary>Share of the tail; largest relative error of its buckets; what errs next to 0; float64 itself.</summary>
    public double TailShare, Relative, Absolute, Rounding;

    /// <summary>The running sum before and after the thread's own buckets.</summary>
    public double TailStart, TailEnd;

    /// <summary>Whether its error shows in no real number to 1e-7.</summary>
    public bool IsFine;

    /// <summary>Largest error of a cumulative sum near one.</summary>
    public readonly double ErrorAt(double sum)
    {
        var share = sum / Sum;
        var spread = share * (1 - share);
        return ((2 * Relative * (spread < TailShare ? spread : TailShare)) + Absolute + Rounding) * Sum;
    }

    /// <summary>Whether a sum to be reached lies between two in spite of the error.</summary>
    public readonly bool IsCertain(double target, double before, double reached)
    {
        var error = ErrorAt(target);
        return reached - target > error && target - before > error;
    }

    /// <summary>
    /// Masses of the tokens and of the tail's buckets. e^(lambda z) in a bucket is cut after the second Chebyshev polynomial, as in Silo.Core's
    /// kernel; the bounds are proven in docs/kernel.md.
    /// </summary>
    public static Tempered Fill(TokenList list, ArrayView<double> e, ArrayView<double> cumulative, Tail tail, ArrayView<double> mass, RowMemory memory, Block block, double lambda)
    {
        var own = OwnTokens(list.Count);
        double sum = 0, energy = 0, near = 0, tailSum = 0;
        for (var i = own.X; i < own.Y; i++)
        {
            var each = DeviceMath.Exp(lambda * list.Z[i]);
            e[i] = each;
            sum += each;
            energy += each * list.Z[i];
        }
        var top = block.Scan(sum);
        var running = top.Start;
        for (var i = own.X; i < own.Y; i++)
        {
            running += e[i];
            cumulative[i] = running;
        }
        var result = new Tempered { Lambda = lambda, TopSum = top.Total, Rounding = (list.Count * 2.5e-16) + 1e-15, IsFine = true };
        double h = tail.Width, kappa = lambda * h / 2;
        if (tail.Length > 0)
        {
            result.Rounding = 2e-12;
            if (kappa > 0.25)
            {
                // So low a temperature leaves the tail nothing, or the row is for the host.
                if (memory.Shape.Vocabulary * DeviceMath.Exp(lambda * tail.UpperEdge(tail.First)) > 1e-15) result.IsFine = false;
                for (var b = tail.Lo; b < tail.Hi; b++) mass[b] = 0;
            }
            else
            {
                var quarter = kappa * kappa / 4;
                var i0 = 1 + (quarter * (1 + (quarter * (1 + (quarter / 9)) / 4)));
                var i1 = kappa / 2 * (1 + (quarter * (1 + (quarter * (1 + (quarter / 12)) / 3)) / 2));
                var i2 = kappa * kappa / 8 * (1 + (quarter * (1 + (quarter * (1 + (quarter / 15)) / 8)) / 3));
                double c0 = i0 - (2 * i2), c1 = 4 * i1, c2 = 16 * i2;
                // In the mean of z the third moment is missing: s³ is close to 3/16 s.
                var c0PlusThird = c0 + (c2 * 0.1875);
                for (var b = tail.Lo; b < tail.Hi; b++)
                {
                    double n = memory.Tokens[b], s1 = memory.First[b], s2 = memory.Second[b], bucket = 0;
                    if (n > 0)
                    {
                        var centre = tail.Centre(b);
                        var weight = DeviceMath.Exp(lambda * centre);
                        bucket = weight * ((c0 * n) + (c1 * s1) + (c2 * s2));
                        energy += (centre * bucket) + (weight * h * ((c0PlusThird * s1) + (c1 * s2)));
                        if (tail.IsNextToZero(b)) near += bucket;
                    }
                    mass[b] = bucket;
                    tailSum += bucket;
                }
                double second = tail.SecondUnit, first = tail.IsWide && !tail.IsExact ? 2 * kappa * tail.FirstUnit : 0;
                result.Relative = (((kappa * kappa * kappa / 24) + (kappa * kappa * second)) * 1.01 * DeviceMath.Exp(2 * kappa)) + first;
            }
        }
        var part = block.Scan(tailSum);
        var sums = block.Sum(new Three(energy, near, 0));
        result.Sum = top.Total + part.Total;
        result.LogSum = DeviceMath.Log(result.Sum);
        result.Energy = sums.A / result.Sum;
        result.TailStart = top.Total + part.Start;
        result.TailEnd = top.Total + part.End;
        result.TailShare = part.Total / result.Sum;
        if (tail.Length > 0) result.Absolute = ((2 * kappa * tail.FirstUnit * sums.B) + tail.DroppedMass(lambda)) / result.Sum;
        if (result.Relative * result.TailShare >= 1e-7) result.IsFine = false;
        return result;
    }

    /// <summary>The thread's part of a list.</summary>
    public static Index2D OwnTokens(int count)
    {
        var each = (count + Group.DimX - 1) / Group.DimX;
        var from = Group.IdxX * each;
        return new Index2D(from < count ? from : count, from + each < count ? from + each : count);
    }
}
