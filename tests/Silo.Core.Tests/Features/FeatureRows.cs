using FsCheck;
using FsCheck.Fluent;
using Silo.Core.Features;

namespace Silo.Core.Tests.Features;

/// <summary>Rows for property tests: every kind of row that has bitten, of any length, and the oracle's verdict on them.</summary>
internal static class FeatureRows
{
    private const int F = TokenFeatures.FullCount, C = TokenFeatures.CapturedCount;

    /// <summary>A row, named by what makes it again.</summary>
    internal sealed record Row(string Kind, int V, int Seed, int K, double[] Temperatures)
    {
        public float[] Logits { get; } = Make(Kind, V, new Random(Seed));

        /// <summary>A token that is not masked, often near the top.</summary>
        public int Token
        {
            get
            {
                var random = new Random(Seed + 1);
                int[] ids = [.. Enumerable.Range(0, V).Where(id => !float.IsNegativeInfinity(Logits[id]))];
                return random.Next(2) == 0 ? ids[random.Next(ids.Length)] : ids.MaxBy(id => Logits[id] + random.NextDouble() * 3);
            }
        }

        public override string ToString() => $"{Kind}, V = {V}, seed {Seed}, K = {K}, T = {string.Join(' ', Temperatures)}";
    }

    public static readonly string[] Kinds =
    [
        "gauss", "peaked", "wide", "narrow", "flat", "nearly flat", "ties", "two values", "bfloat16", "bfloat16 masked", "masked",
        "mostly masked", "signed zeros", "subnormal", "huge", "offset", "underflow", "outliers", "half", "around zero",
    ];

    /// <summary>Rows of lengths spread evenly in their logarithm.</summary>
    public static Arbitrary<Row> Upto(int longest, int shortest = 1) =>
        (from kind in Gen.Elements(Kinds)
         from scale in Gen.Choose(0, 1000)
         from seed in Gen.Choose(0, int.MaxValue - 2)
         from k in Gen.Elements(1, 2, 3, 10, 50, 200)
         from t in Gen.ListOf(Gen.Elements(0.001, 0.05, 0.1, 0.3, 0.7, 0.8, 0.999999, 1.0, 1.0000001, 1.2, 1.5, 2.0, 5.0, 100.0), 3)
         let v = (int)(shortest * Math.Pow((double)longest / shortest, scale / 1000.0))
         select new Row(kind, v, seed, k, [.. t])).ToArbitrary();

    private static float[] Make(string kind, int v, Random random)
    {
        double Gauss() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        float[] Fill(Func<int, double> f) => [.. Enumerable.Range(0, v).Select(i => (float)f(i))];
        float[] Masked(double share, Func<int, double> f)
        {
            var z = Fill(i => random.NextDouble() < share ? double.NegativeInfinity : f(i));
            z[random.Next(v)] = 1;
            return z;
        }
        float Rounded(double x) => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits((float)x) & 0xFFFF0000);
        return kind switch
        {
            "gauss" => Fill(_ => 2.4 * Gauss() - 3),
            "peaked" => Fill(i => 2 * Gauss() - 5 + (random.Next(v) < 20 ? 14 * random.NextDouble() : 0)),
            "wide" => Fill(_ => 12 * Gauss()),
            "narrow" => Fill(_ => 0.02 * Gauss() + 1.5),
            "flat" => Fill(_ => -3.25),
            "nearly flat" => Fill(_ => 1e-4 * random.NextDouble()),
            "ties" => Fill(_ => Math.Floor(6 * Gauss()) / 3),
            "two values" => Fill(_ => random.Next(100) == 0 ? 7.1 : -0.3),
            "bfloat16" => Fill(_ => Rounded(3 * Gauss())),
            "bfloat16 masked" => Masked(0.2, _ => Rounded(2 * Gauss() - 8)),
            "masked" => Masked(0.1, _ => 2.4 * Gauss()),
            "mostly masked" => Masked(0.97, _ => 2.4 * Gauss()),
            "signed zeros" => Fill(_ => random.Next(4) switch { 0 => -0.0, 1 => 0.0, 2 => -1e-3 * random.NextDouble(), _ => random.NextDouble() }),
            "subnormal" => Fill(_ => 1e-40 * Gauss()),
            "huge" => Fill(_ => 1e4 * (2 * random.NextDouble() - 1)),
            "offset" => Fill(_ => 1e4 + Gauss()),
            "underflow" => Fill(i => i == v / 2 ? 300 : -500 * random.NextDouble()),
            "outliers" => Fill(i => i % 997 == 5 ? -90 : 2.2 * Gauss()),
            "half" => Fill(_ => (double)(Half)(3 * Gauss())),
            "around zero" => Fill(_ => 0.3 * Gauss()),
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
    }

    /// <summary>Holds a kernel's answer for a row against the oracle; returns the kernel's statistics.</summary>
    public static KernelStatistics Check(Row row)
    {
        var kernel = new FeatureKernel(row.V, row.K);
        double[] full = new double[row.Temperatures.Length * F], captured = new double[row.Temperatures.Length * C];
        kernel.Compute(row.Logits, row.Temperatures, row.Token, full, captured);
        Check(row, full, captured);
        return kernel.Statistics;
    }

    /// <summary>Holds feature rows, one per temperature, against the oracle.</summary>
    public static void Check(Row row, ReadOnlySpan<double> full, ReadOnlySpan<double> captured)
    {
        for (var i = 0; i < row.Temperatures.Length; i++)
        {
            var t = row.Temperatures[i];
            Same($"full, T = {t}", full.Slice(i * F, F), slack => ReferenceFeatures.Full(row.Logits, t, row.Token, slack));
            Same($"captured, T = {t}", captured.Slice(i * C, C),
                slack => ReferenceFeatures.Captured(row.Logits, t, row.Token, row.K, slack));
        }

        void Same(string what, ReadOnlySpan<double> actual, Func<double, double[]> oracle)
        {
            var expected = oracle(ReferenceFeatures.ThresholdSlack);
            if (Matches(actual, expected, expected) is null) return;
            // SCHEMA 2.1: where a cumulative mass lies within 1e-9 of a threshold, the values on both sides are right.
            var name = Matches(actual, oracle(1e-9), oracle(-1e-9));
            Assert.True(name is null, $"{row}: {what}: {name}");
        }
    }

    /// <summary>The first column outside its range, or null.</summary>
    private static string? Matches(ReadOnlySpan<double> actual, double[] one, double[] other)
    {
        for (var column = 0; column < actual.Length; column++)
        {
            var name = TokenFeatures.Names[column];
            double low = Math.Min(one[column], other[column]), high = Math.Max(one[column], other[column]), got = actual[column];
            var tolerance = GoldenRows.IsInteger(name) ? 0 : 1e-6 * Math.Max(1, Math.Abs(high));
            if (!(got >= low - tolerance && got <= high + tolerance)) return $"{name} is {got:R}, expected {low:R} to {high:R}";
        }
        return null;
    }
}
