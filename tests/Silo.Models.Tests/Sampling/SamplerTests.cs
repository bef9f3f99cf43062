using FsCheck.Fluent;
using Silo.Core;
using Silo.Core.Numerics;
using Silo.Experiments.Generation;

namespace Silo.Models.Tests.Sampling;

public sealed class SamplerTests
{
    private static readonly float[] s_row = [1f, 3f, 2f, float.NegativeInfinity, 3f, -1f, 0.5f];

    [Fact]
    public void At_zero_temperature_the_first_of_the_largest_is_taken()
    {
        Assert.Equal(1, new Sampler(7).Sample(s_row, 0, new SamplerOptions { TopK = 1, TopP = .1 }, 0.99));
        Assert.Equal(0, new Sampler(2).Sample([-0f, 0f], 0, new SamplerOptions(), 0));
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(0.3)]
    [InlineData(1.5)]
    public void Inversion_of_the_uniform_number_gives_softmax_probabilities(double temperature)
    {
        // P(token <= id) is the cumulative probability: the token changes exactly there.
        var weights = s_row.Select(z => Math.Exp((z - 3) / temperature)).ToArray();
        var sampler = new Sampler(7);
        var cumulative = 0.0;
        for (var id = 0; id < 7; id++)
        {
            var next = cumulative + weights[id] / weights.Sum();
            if (id != 3)
            {
                Assert.Equal(id, sampler.Sample(s_row, temperature, new SamplerOptions(), cumulative + 1e-9));
                Assert.Equal(id, sampler.Sample(s_row, temperature, new SamplerOptions(), next - 1e-9));
            }
            cumulative = next;
        }
    }

    [Fact]
    public void Frequencies_at_a_large_vocabulary_follow_the_distribution()
    {
        const int V = 2000, N = 20_000;
        var random = CounterRandom.Create(1, "row");
        var row = Enumerable.Range(0, V).Select(i => (float)(6 * random.UniformAt((ulong)i))).ToArray();
        var sampler = new Sampler(V);
        var counts = new int[8];
        for (var i = 0; i < N; i++) counts[sampler.Sample(row, 0.8, new SamplerOptions(), CounterRandom.Create(2, "u").UniformAt((ulong)i)) / 250]++;
        var weights = row.Select(z => Math.Exp(z / 0.8)).ToArray();
        var chi2 = 0.0;
        for (var c = 0; c < 8; c++)
        {
            var expected = N * weights.Skip(250 * c).Take(250).Sum() / weights.Sum();
            chi2 += Math.Pow(counts[c] - expected, 2) / expected;
        }
        Assert.InRange(chi2, 0.5, 24.3); // chi-squared with 7 degrees of freedom: 99.9 % lies below 24.3
    }

    [Fact]
    public void Truncation_keeps_what_the_definitions_keep()
    {
        var rows = Gen.Choose(-40, 40).Select(z => z / 4f).ArrayOf(60);
        var gen = from row in rows
                  from masked in Gen.Choose(0, 59)
                  from k in Gen.Choose(0, 70)
                  from p in Gen.Elements(1.0, 0.95, 0.5, 0.05)
                  from m in Gen.Elements(0, 0.02, 0.3, 0.999)
                  from order in Gen.Elements(TemperatureOrder.BeforeTruncation, TemperatureOrder.AfterTruncation)
                  from t in Gen.Elements(0.3, 1.0, 1.5)
                  select (row: row.Select((z, i) => i == masked ? float.NegativeInfinity : z).ToArray(), t, options: new SamplerOptions { TopK = k, TopP = p, MinP = m, Order = order });
        var sampler = new Sampler(60);
        FsCheck.Check.QuickThrowOnFailure(Prop.ForAll(gen.ToArbitrary(), c =>
        {
            var kept = Kept(c.row, c.options.Order == TemperatureOrder.BeforeTruncation ? c.t : 1, c.options);
            var total = kept.Sum(i => Math.Exp(c.row[i] / c.t));
            var cumulative = 0.0;
            foreach (var id in kept)
            {
                var share = Math.Exp(c.row[id] / c.t) / total;
                if (share > 1e-9 && sampler.Sample(c.row, c.t, c.options, cumulative + share / 2) != id) return false;
                cumulative += share;
            }
            return true;
        }));
    }

    [Theory]
    [InlineData(float.NaN, "a logit is NaN")]
    [InlineData(float.PositiveInfinity, "a logit is plus infinity")]
    public void Rows_that_are_no_distribution_are_refused(float z, string cause)
    {
        Assert.Equal(cause, Assert.Throws<SiloException>(() => new Sampler(2).Sample([0, z], 1, new SamplerOptions(), 0)).Message);
        Assert.Throws<SiloException>(() => new Sampler(1).Sample([float.NegativeInfinity], 1, new SamplerOptions(), 0));
        Assert.Throws<SiloException>(() => new Sampler(1).Sample([0], 1, new SamplerOptions { TopP = 0 }, 0));
        Assert.Throws<SiloException>(() => new Sampler(1).Sample([0], double.NaN, new SamplerOptions(), 0));
    }

    /// <summary>The definition: sort, cut, cut, cut.</summary>
    private static List<int> Kept(float[] row, double t, SamplerOptions options)
    {
        var order = Enumerable.Range(0, row.Length).Where(i => !float.IsNegativeInfinity(row[i])).OrderByDescending(i => row[i]).ThenBy(i => i).ToList();
        if (options.TopK > 0) order = [.. order.Take(options.TopK)];
        if (options.TopP < 1)
        {
            var total = order.Sum(i => Math.Exp(row[i] / t));
            var (n, mass) = (0, 0.0);
            while (n < order.Count && mass < (options.TopP - 1e-12) * total) mass += Math.Exp(row[order[n++]] / t);
            order = [.. order.Take(n)];
        }
        order.RemoveAll(i => row[i] < row[order[0]] + t * Math.Log(options.MinP));
        order.Sort();
        return order;
    }
}
