using Silo.Core.Features;

namespace Silo.Core.Tests.Features;

public class DescendingSortTests
{
    /// <summary>Rows that fill equal buckets evenly, hardly at all, and within each other.</summary>
    [Fact]
    public void Rows_of_any_spread_come_out_in_descending_order_without_what_is_masked()
    {
        var random = new Random(3);
        foreach (var n in new[] { 1, 2, 95, 96, 500, 512, 1023, 1024, 2999, 3000, 5000 })
            for (var kind = 0; kind < 7; kind++)
            {
                var row = Enumerable.Range(0, n).Select(i => kind switch
                {
                    0 => (float)(random.NextDouble() * 30),
                    1 => i % 2 == 0 ? -9 + (float)random.NextDouble() * 1e-5f : (float)random.NextDouble() * 10, // half of them in one bucket
                    2 => (float)Math.Exp(-random.NextDouble() * 80), // crowded on every scale
                    3 => i % 3 == 0 ? float.NegativeInfinity : i % 3,
                    4 => i == 0 ? float.MaxValue : i == 1 ? float.MinValue : (float)random.NextDouble(), // a span that overflows
                    5 => i % 2 == 0 ? -0f : 0f,
                    _ => float.Epsilon * (i % 5),
                }).ToArray();
                var sorted = new DescendingSort(n).Sort(row).ToArray();
                Assert.Equal(row.Where(z => !float.IsNegativeInfinity(z)).OrderDescending().Select(z => z + 0f).ToArray(), sorted);
                Assert.DoesNotContain(sorted, z => z == 0 && float.IsNegative(z));
            }
    }
}
