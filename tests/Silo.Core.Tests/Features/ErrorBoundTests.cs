using Silo.Core.Features;

namespace Silo.Core.Tests.Features;

/// <summary>The bound of docs/kernel.md against exact sums.</summary>
public class ErrorBoundTests
{
    [Theory]
    [InlineData("gauss")]
    [InlineData("half")]
    [InlineData("wide")]
    [InlineData("around zero")]
    [InlineData("left edges")]
    public void Cumulative_masses_err_by_less_than_is_proven(string kind)
    {
        // The worst rows for a bucket: all of its tokens at one edge, where the fit of e^x is worst.
        var z = kind == "left edges"
            ? Enumerable.Range(0, 20_000).Select(i => (float)Math.Floor(128 * 3 * Math.Sin(i)) / 128 + (i % 3 == 0 ? 1 / 129f : 0)).ToArray()
            : new FeatureRows.Row(kind, 20_000, 4, 20, [1]).Logits;
        var row = new HistogramRow(z.Length, 20, 1);
        Assert.True(row.TryFill(z, 0));
        var descending = z.OrderDescending().Select(v => (double)v).ToArray();
        var largestError = 0.0;
        foreach (var lambda in new[] { 0.5, 1 / 1.5, 1, 1 / 0.8, 1 / 0.3, 8 })
        {
            var tempered = new Tempered(row.TopCapacity);
            tempered.Fill(row, lambda);
            var exact = new double[z.Length + 1];
            for (var i = 0; i < z.Length; i++) exact[i + 1] = exact[i] + Math.Exp(lambda * (descending[i] - descending[0]));
            var tokens = row.TopCount;
            for (var bucket = row.TailBlocks * LogitHistogram.Block - 1; bucket >= 0; bucket--)
            {
                double share = exact[tokens] / exact[^1], error = Math.Abs(tempered.Above(bucket) / tempered.Sum - share);
                Assert.True(error <= tempered.Bound.At(share), $"lambda {lambda}, share {share}: {error} is above {tempered.Bound.At(share)}");
                largestError = Math.Max(largestError, error / tempered.Bound.At(share));
                tokens += (int)row.Histogram.Count[bucket];
            }
            Assert.Equal(z.Length, tokens);
        }
        // A bound that is never approached would be no bound but a guess.
        if (kind == "left edges") Assert.InRange(largestError, 0.02, 1);
    }
}
