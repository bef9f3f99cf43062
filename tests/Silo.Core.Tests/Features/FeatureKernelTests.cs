using Silo.Core.Features;

namespace Silo.Core.Tests.Features;

public class FeatureKernelTests
{
    private const int F = TokenFeatures.FullCount, C = TokenFeatures.CapturedCount;

    [Fact]
    public void Every_golden_case_is_met_to_1e_6()
    {
        foreach (var group in GoldenRows.Cases().GroupBy(c => (c.Row, c.X, K: c.K ?? 200)))
        {
            var z = GoldenRows.Rows[group.Key.Row];
            double[] temperatures = [.. group.Select(c => c.T).Distinct()];
            var full = new double[temperatures.Length * F];
            var captured = new double[temperatures.Length * C];
            new FeatureKernel(z.Length, group.Key.K).Compute(z, temperatures, group.Key.X, full, captured);
            foreach (var c in group)
            {
                var i = Array.IndexOf(temperatures, c.T);
                GoldenRows.Check(c, c.K is null ? full.AsSpan(i * F, F) : captured.AsSpan(i * C, C), 1e-6);
            }
        }
    }

    [Fact]
    public void Captured_rows_can_be_left_out()
    {
        float[] z = [3, 1, 2, float.NegativeInfinity];
        double[] with = new double[2 * F], without = new double[2 * F];
        var kernel = new FeatureKernel(4, 2);
        kernel.Compute(z, [0.5, 2], 1, with, new double[2 * C]);
        kernel.Compute(z, [0.5, 2], 1, without, []);
        Assert.Equal(with, without);
    }

    [Theory]
    [InlineData("gauss", 20_000)]
    [InlineData("bfloat16", 20_000)]
    [InlineData("gauss", 700)]
    public void Temperatures_do_not_touch_each_other(string kind, int v)
    {
        // More than the kernel treats at once, in no order, with repetitions.
        double[] temperatures = [1.5, 0.3, 1, 0.8, 2, 0.5, 1.2, 0.9, 1, 0.3, 3, 0.7, 1.1, 1.5, 0.6, 5, 0.4, 0.8];
        var row = new FeatureRows.Row(kind, v, 5, 200, temperatures);
        var kernel = new FeatureKernel(v, row.K);
        double[] full = new double[temperatures.Length * F], captured = new double[temperatures.Length * C];
        kernel.Compute(row.Logits, temperatures, row.Token, full, captured);
        for (var i = 0; i < temperatures.Length; i++)
        {
            double[] oneFull = new double[F], oneCaptured = new double[C];
            kernel.Compute(row.Logits, [temperatures[i]], row.Token, oneFull, oneCaptured);
            Assert.Equal(oneFull, full[(i * F)..((i + 1) * F)]);
            Assert.Equal(oneCaptured, captured[(i * C)..((i + 1) * C)]);
        }
    }

    [Theory]
    [InlineData("gauss", 50)]
    [InlineData("gauss", 5000)]
    [InlineData("flat", 5000)]
    [InlineData("masked", 20_000)]
    [InlineData("bfloat16", 20_000)]
    [InlineData("gauss", 128_256)]
    public void Nothing_is_allocated(string kind, int v)
    {
        var row = new FeatureRows.Row(kind, v, 3, 200, [0.3, 0.8, 1.5]);
        float[] z = row.Logits;
        var token = row.Token;
        var kernel = new FeatureKernel(v, row.K);
        double[] full = new double[3 * F], captured = new double[3 * C];
        for (var i = 0; i < 3; i++) kernel.Compute(z, row.Temperatures, token, full, captured);
        // The runtime may allocate while it compiles; the kernel would in every run.
        var least = Enumerable.Range(0, 5).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            kernel.Compute(z, row.Temperatures, token, full, captured);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        Assert.Equal(0, least);
    }

    [Theory]
    [InlineData("gauss", 5000, 0, 0)]
    [InlineData("flat", 5000, 1, 0)]
    [InlineData("two values", 5000, 0, 1)]
    [InlineData("half", 5000, 0, 0)]
    [InlineData("bfloat16", 5000, 1, 0)]
    [InlineData("bfloat16 masked", 5000, 1, 0)]
    [InlineData("masked", 5000, 0, 0)]
    [InlineData("huge", 5000, 0, 1)]
    [InlineData("gauss", 500, 0, 1)]
    public void Statistics_say_which_way_a_row_went(string kind, int v, long rounded, long sorted)
    {
        var statistics = FeatureRows.Check(new FeatureRows.Row(kind, v, 11, 50, [0.8]));
        Assert.Equal((1, rounded, 0, sorted), (statistics.Rows, statistics.Rounded, statistics.Recomputed, statistics.Sorted));
    }

    [Fact]
    public void A_mass_within_the_proven_error_of_a_threshold_is_recomputed_in_float64()
    {
        // 6,000 tokens, and below them twice as many of half their probability, as near as float32 comes to it: the first
        // 6,000 hold half of p to 1e-9 or so. One far token makes the row wide enough for the widest buckets.
        var random = new Random(1);
        float[] head = [.. Enumerable.Range(0, 6000).Select(_ => 5 + 0.6f * random.NextSingle())];
        float[] half = [.. head.Select(v => (float)(v - Math.Log(2)))];
        float[] z = [.. half, .. head, .. half, -10];
        var kernel = new FeatureKernel(z.Length, 10);
        var full = new double[F];
        kernel.Compute(z, [1.0], 7, full, []);
        Assert.Equal(1, kernel.Statistics.Recomputed);
        Assert.Equal(ReferenceFeatures.Full(z, 1, 7)[0], full[0]);
        Assert.InRange(full[0], 5999, 6002);
    }
}
