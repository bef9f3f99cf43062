using FsCheck;
using FsCheck.Fluent;
using Silo.Core;
using Silo.Core.Features;
using Silo.Core.Tests.Features;

namespace Silo.Models.Cuda.Tests;

/// <summary>What the kernel promises on any device.</summary>
public abstract class DeviceFeatureKernelTests
{
    private const int F = TokenFeatures.FullCount, C = TokenFeatures.CapturedCount;

    protected abstract FeatureDevice Device { get; }

    [Fact]
    public void Every_golden_case_is_met_to_1e_6()
    {
        var byHost = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var group in GoldenRows.Cases().GroupBy(c => (c.Row, c.X, K: c.K ?? 200)))
        {
            var z = GoldenRows.Rows[group.Key.Row];
            double[] temperatures = [.. group.Select(c => c.T).Distinct()];
            using var kernel = new DeviceFeatureKernel(Device, z.Length, group.Key.K, 1, temperatures.Length);
            double[] full = new double[temperatures.Length * F], captured = new double[temperatures.Length * C];
            kernel.Compute(z, [group.Key.X], temperatures, full, captured);
            if (kernel.Statistics.ForHost > 0) byHost.Add(group.Key.Row);
            foreach (var c in group)
            {
                var i = Array.IndexOf(temperatures, c.T);
                GoldenRows.Check(c, c.K is null ? full.AsSpan(i * F, F) : captured.AsSpan(i * C, C), 1e-6);
            }
        }
        // Thousands of equal logits at its top are more than a block has room for.
        Assert.Equal(["large_128256_quantised"], byHost);
    }

    [Fact]
    public void Every_kind_of_row_agrees_with_the_oracle()
    {
        var byHost = new List<string>();
        foreach (var kind in FeatureRows.Kinds)
            foreach (var (v, k) in new[] { (1, 3), (2, 1), (37, 200), (2500, 200), (9_000, 20) })
                if (!Check(new FeatureRows.Row(kind, v, v + k, k, [0.3, 0.8, 1.5]))) byHost.Add($"{kind} {v}");
        // Thousands of (nearly) equal logits in a bucket that is looked into, or hardly any within 38 of the largest.
        var seen = string.Join(", ", byHost.Order(StringComparer.Ordinal));
        const string Expected = "flat 2500, flat 9000, huge 2500, huge 9000, nearly flat 2500, nearly flat 9000, signed zeros 9000, subnormal 2500, subnormal 9000, "
            + "two values 2500, two values 9000, underflow 2500, underflow 9000";
        Assert.True(seen == Expected, seen);
    }

    [Fact]
    public void Random_rows_agree_with_the_oracle()
    {
        _ = Device;
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(Environment.GetEnvironmentVariable("SILO_LONG") == "1" ? 3_000 : 60).WithQuietOnSuccess(true), Prop.ForAll(FeatureRows.Upto(12_000), row =>
        {
            if (row.Temperatures.Length > 0) Check(row);
        }));
    }

    [Fact]
    public void Rows_of_a_large_vocabulary_are_decided_on_the_device()
    {
        const int V = 128_256;
        double[] temperatures = [0.3, 0.8, 1.5];
        float[][] rows = [BenchmarkRows.Make(V, 1, 0), BenchmarkRows.Make(V, 4, 0), BenchmarkRows.Make(V, 9, 2), BenchmarkRows.ToBfloat16(BenchmarkRows.Make(V, 4, 1))];
        int[] tokens = [5, Array.IndexOf(rows[1], rows[1].Max()), 77_777, 128_255];
        var (full, captured) = (new double[rows.Length * 3 * F], new double[rows.Length * 3 * C]);
        using var kernel = new DeviceFeatureKernel(Device, V, 200, rows.Length, 3);
        kernel.Compute(rows.SelectMany(row => row).ToArray(), tokens, [.. rows.SelectMany(_ => temperatures)], full, captured);
        Assert.Equal((rows.Length, 0), kernel.Statistics);
        // A megabyte or so a row, beside its logits.
        Assert.InRange(kernel.DeviceBytes, rows.Length * V * 4L, rows.Length * ((V * 4L) + 1_100_000));
        var host = new FeatureKernel(V, 200);
        double[] hostFull = new double[3 * F], hostCaptured = new double[3 * C];
        for (var row = 0; row < rows.Length; row++)
        {
            host.Compute(rows[row], temperatures, tokens[row], hostFull, hostCaptured);
            Close(hostFull, full.AsSpan(row * 3 * F, 3 * F), F);
            Close(hostCaptured, captured.AsSpan(row * 3 * C, 3 * C), C);
        }
    }

    [Fact]
    public void Rows_of_one_launch_do_not_touch_each_other_and_their_bits_come_again()
    {
        const int V = 3_000, Rows = 3;
        string[] kinds = ["gauss", "masked", "bfloat16"];
        var logits = kinds.SelectMany(kind => new FeatureRows.Row(kind, V, 8, 10, []).Logits).ToArray();
        logits[7] = logits[V + 7] = logits[(2 * V) + 7] = 3.5f;
        double[] temperatures = [0.7, 1.4, 1, 1, 2, 0.5];
        double[] full = new double[Rows * 2 * F], captured = new double[Rows * 2 * C], again = new double[full.Length], one = new double[2 * F], oneCaptured = new double[2 * C];
        using var kernel = new DeviceFeatureKernel(Device, V, 10, Rows, 2);
        kernel.Compute(logits, [7, 7, 7], temperatures, full, captured);
        kernel.Compute(logits, [7, 7, 7], temperatures, again, []);
        Assert.Equal(full, again);
        for (var row = 0; row < Rows; row++)
        {
            kernel.Compute(logits.AsSpan(row * V, V), [7], temperatures.AsSpan(row * 2, 2), one, oneCaptured);
            Assert.Equal(full[(row * 2 * F)..((row + 1) * 2 * F)], one);
            Assert.Equal(captured[(row * 2 * C)..((row + 1) * 2 * C)], oneCaptured);
        }
        Assert.Equal(0, kernel.Statistics.ForHost);
    }

    [Fact]
    public void A_mass_within_the_proven_error_of_a_threshold_is_computed_on_the_host_in_float64()
    {
        // 6,000 tokens, and below them twice as many of half their probability, as near as float32 comes to it.
        var random = new Random(1);
        float[] head = [.. Enumerable.Range(0, 6000).Select(_ => 5 + (0.6f * random.NextSingle()))];
        float[] half = [.. head.Select(v => (float)(v - Math.Log(2)))];
        float[] z = [.. half, .. head, .. half, -10];
        var full = new double[F];
        using var kernel = new DeviceFeatureKernel(Device, z.Length, 10, 1, 1);
        kernel.Compute(z, [7], [1.0], full, []);
        Assert.Equal((1, 1), kernel.Statistics);
        Assert.Equal(ReferenceFeatures.Full(z, 1, 7)[0], full[0]);
    }

    [Theory]
    [InlineData(float.NaN, 0, 1.0, "logit 1 is NaN")]
    [InlineData(float.PositiveInfinity, 0, 1.0, "logit 1 is +infinity")]
    [InlineData(1f, 5, 1.0, "token 5 is outside the row of 5 logits")]
    [InlineData(1f, -1, 1.0, "token -1 is outside the row of 5 logits")]
    [InlineData(1f, 4, 1.0, "token 4 is masked (its logit is -infinity) and cannot have been sampled")]
    [InlineData(1f, 0, 0.0, "temperature 0: a finite number above 0 expected")]
    public void What_is_not_valid_is_refused_in_the_words_of_the_host(float logit, int token, double temperature, string message)
    {
        using var kernel = new DeviceFeatureKernel(Device, 5, 3, 1, 1);
        var error = Assert.Throws<SiloException>(() => kernel.Compute([1, logit, 2, 3, float.NegativeInfinity], [token], [temperature], new double[F], new double[C]));
        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void Nothing_is_allocated_for_rows()
    {
        const int V = 5_000, Rows = 8;
        var logits = Enumerable.Range(0, Rows).SelectMany(i => BenchmarkRows.Make(V, 4, i)).ToArray();
        int[] tokens = [.. Enumerable.Range(0, Rows)];
        double[] temperatures = [.. Enumerable.Repeat(0.8, Rows)], full = new double[Rows * F], captured = new double[Rows * C];
        using var kernel = new DeviceFeatureKernel(Device, V, 200, Rows, 1);
        for (var i = 0; i < 3; i++) kernel.Compute(logits, tokens, temperatures, full, captured);
        var least = Enumerable.Range(0, 5).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            kernel.Compute(logits, tokens, temperatures, full, captured);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        // What ILGPU itself needs to start a kernel and to copy: some small objects, whatever the rows.
        Assert.InRange(least, 0, 4_096);
    }

    /// <summary>Holds a row against the oracle. Returns whether the device decided it.</summary>
    private bool Check(FeatureRows.Row row)
    {
        using var kernel = new DeviceFeatureKernel(Device, row.V, row.K, 1, row.Temperatures.Length);
        double[] full = new double[row.Temperatures.Length * F], captured = new double[row.Temperatures.Length * C];
        kernel.Compute(row.Logits, [row.Token], row.Temperatures, full, captured);
        FeatureRows.Check(row, full, captured);
        return kernel.Statistics.ForHost == 0;
    }

    private static void Close(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, int columns)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            var name = TokenFeatures.Names[i % columns];
            var tolerance = GoldenRows.IsInteger(name) ? 0 : 1e-6 * Math.Max(1, Math.Abs(expected[i]));
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"{name}: {actual[i]:R}, expected {expected[i]:R}");
        }
    }
}
