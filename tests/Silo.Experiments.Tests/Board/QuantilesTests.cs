using Silo.Core.Statistics;
using Silo.Experiments.Board;

namespace Silo.Experiments.Tests.Board;

public class QuantilesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(37)]
    [InlineData(999)]
    [InlineData(2000)]
    [InlineData(5000)]
    public void Both_ends_are_the_percentiles_of_the_sorted_values(int count)
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            // Many ties, a normal shape, an ascending series that misleads the sample.
            double[] values = [.. Enumerable.Range(0, count).Select(i => (seed % 3) switch
            {
                0 => random.Next(5),
                1 => random.NextDouble() + random.NextDouble() + random.NextDouble(),
                _ => i % 16 == 0 ? 1e6 + i : (double)i,
            })];
            var sorted = values.Order().ToArray();
            var interval = Quantiles.Central(values, 0.95)!.Value;
            Assert.Equal(Percentile.OfSorted(sorted, 2.5), interval.Lower, 1e-9);
            Assert.Equal(Percentile.OfSorted(sorted, 97.5), interval.Upper, 1e-9);
        }
    }
}
