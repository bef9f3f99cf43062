using Silo.Core.Numerics;
using Silo.Core.Statistics;

namespace Silo.Core.Tests.Statistics;

public class ConfidenceSequenceTests
{
    [Fact]
    public void Golden_sequences()
    {
        foreach (var golden in GoldenStatistics.Section("confidence_sequence"))
        {
            string name = golden.Text("name");
            var sequence = new ConfidenceSequence(golden.Number("alpha")!.Value, golden.Number("c")!.Value);
            var expected = new[] { "lambda", "center", "lower", "upper", "lower_clipped", "upper_clipped", "lower_running", "upper_running" }
                .Select(key => golden.Numbers(key)).ToArray();
            int t = 0;
            foreach (double difference in golden.Numbers("differences"))
            {
                sequence.Add(difference);
                double[] actual = [sequence.Lambda, sequence.Center!.Value, sequence.Lower, sequence.Upper,
                    sequence.Clipped.Lower, sequence.Clipped.Upper, sequence.Running.Lower, sequence.Running.Upper];
                Golden.Close([.. expected.Select(e => e[t])], actual, $"{name} t = {++t}");
            }
            Assert.Equal(expected[0].Length, sequence.Count);
        }
    }

    [Fact]
    public void A_range_of_two_is_half_the_values_and_twice_the_bounds()
    {
        ConfidenceSequence wide = new(range: 2), narrow = new();
        foreach (double d in new[] { 1.5, -0.3, 2, 0.8 })
        {
            wide.Add(d);
            narrow.Add(d / 2);
        }
        Assert.Equal(2 * narrow.Running.Lower, wide.Running.Lower, 1e-15);
        Assert.Equal(2 * narrow.Upper, wide.Upper, 1e-15);
        Assert.Equal(2 * narrow.Center!.Value, wide.Center!.Value, 1e-15);
    }

    [Fact]
    public void Looking_at_every_step_misses_the_mean_no_more_often_than_promised()
    {
        // 400 coins of mean 0.2, 300 tosses each, alpha = 0.2: a miss at any step counts.
        int misses = 0;
        for (ulong run = 0; run < 400; run++)
        {
            var random = CounterRandom.Create(run);
            var sequence = new ConfidenceSequence(alpha: 0.2);
            for (ulong t = 0; t < 300; t++) sequence.Add(random.UniformAt(t) < 0.6 ? 1 : -1);
            if (sequence.Running.Lower > 0.2 || sequence.Running.Upper < 0.2) misses++;
        }
        Assert.InRange(misses, 1, 80);
    }

    [Fact]
    public void Before_the_first_value_everything_is_possible()
    {
        var sequence = new ConfidenceSequence();
        Assert.Equal(new Interval(-1, 1), sequence.Running);
        Assert.Equal(new Interval(-1, 1), sequence.Clipped);
        Assert.Null(sequence.Center);
        Assert.Throws<ArgumentOutOfRangeException>(() => sequence.Add(1.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConfidenceSequence(alpha: 0));
    }
}
