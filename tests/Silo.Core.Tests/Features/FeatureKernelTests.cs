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

    [Fact]
    public void Nothing_is_allocated()
    {
        var random = new Random(1);
        foreach (var v in new[] { 50, 5000 })
        {
            var z = Enumerable.Range(0, v).Select(_ => (float)(random.NextDouble() * 20)).ToArray();
            var kernel = new FeatureKernel(v, 200);
            double[] temperatures = [0.3, 0.8, 1.5], full = new double[3 * F], captured = new double[3 * C];
            for (var i = 0; i < 3; i++) kernel.Compute(z, temperatures, 7, full, captured);
            var before = GC.GetAllocatedBytesForCurrentThread();
            kernel.Compute(z, temperatures, 7, full, captured);
            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        }
    }
}
