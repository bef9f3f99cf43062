using System.Text.Json;
using Silo.Core.Numerics;
using Silo.Core.Statistics;

namespace Silo.Core.Tests.Statistics;

public class BootstrapTests
{
    private const int Resamples = 4000;

    private static void Within(JsonElement expected, Interval? actual, string name)
    {
        if (expected.ValueKind == JsonValueKind.Null)
        {
            Assert.Null(actual);
            return;
        }
        double tolerance = expected.Number("tolerance")!.Value;
        Assert.Equal(0.95, expected.Number("level"));
        Assert.True(Math.Abs(expected.Number("lower")!.Value - actual!.Value.Lower) <= tolerance, $"{name}: {actual}");
        Assert.True(Math.Abs(expected.Number("upper")!.Value - actual!.Value.Upper) <= tolerance, $"{name}: {actual}");
    }

    [Fact]
    public void Golden_intervals()
    {
        foreach (var group in GoldenStatistics.Section("grouped"))
        {
            var interval = Bootstrap.MeanOverPrompts(group.Numbers("per_prompt_rho"), CounterRandom.Create(1), Resamples);
            Within(group.GetProperty("bootstrap"), interval, group.Text("name"));
        }
    }

    [Fact]
    public void One_value_has_no_interval()
    {
        Assert.Null(Bootstrap.MeanOverPrompts([0.5], CounterRandom.Create(1)));
        Assert.Null(Bootstrap.MeanOverPrompts([double.NaN, 0.5, double.NaN], CounterRandom.Create(1)));
        Assert.NotNull(Bootstrap.MeanOverPrompts([0.5, double.NaN, 0.5], CounterRandom.Create(1)));
    }

    [Fact]
    public void Golden_intervals_by_Poisson_weights()
    {
        foreach (var group in GoldenStatistics.Section("grouped"))
        {
            double[] sums = new double[Resamples], counts = new double[Resamples];
            var weights = new byte[Resamples];
            ulong prompt = 0;
            foreach (double rho in group.Numbers("per_prompt_rho"))
            {
                PoissonWeights.Fill(7, ++prompt, weights);
                if (double.IsNaN(rho)) continue;
                for (int r = 0; r < Resamples; r++) (sums[r], counts[r]) = (sums[r] + weights[r] * rho, counts[r] + weights[r]);
            }
            double[] means = [.. sums.Zip(counts).Where(r => r.Second > 0).Select(r => r.First / r.Second).Order()];
            Interval? interval = means.Length == 0 ? null : new(Percentile.OfSorted(means, 2.5), Percentile.OfSorted(means, 97.5));
            Within(group.GetProperty("bootstrap"), interval, group.Text("name"));
        }
    }

    [Fact]
    public void Raters_that_do_not_matter_leave_the_interval_of_prompts()
    {
        double[] values = [.. Enumerable.Range(0, 60).Select(i => Math.Sin(i * i))];
        var prompts = Bootstrap.MeanOverPrompts(values, CounterRandom.Create(1), Resamples)!.Value;
        var both = Bootstrap.MeanOverPromptsAndRaters(60, 5, (p, _) => values[p], CounterRandom.Create(2), Resamples)!.Value;
        Assert.Equal(prompts.Lower, both.Lower, 0.02);
        Assert.Equal(prompts.Upper, both.Upper, 0.02);
    }

    [Fact]
    public void With_one_prompt_only_the_raters_vary()
    {
        double[] raters = [.. Enumerable.Range(0, 40).Select(i => Math.Cos(i * i))];
        double Mean(int prompt, ReadOnlySpan<int> multiplicity)
        {
            double sum = 0;
            for (int r = 0; r < raters.Length; r++) sum += multiplicity[r] * raters[r];
            return sum / raters.Length;
        }
        var expected = Bootstrap.MeanOverPrompts(raters, CounterRandom.Create(1), Resamples)!.Value;
        var actual = Bootstrap.MeanOverPromptsAndRaters(1, raters.Length, Mean, CounterRandom.Create(2), Resamples)!.Value;
        Assert.Equal(expected.Lower, actual.Lower, 0.02);
        Assert.Equal(expected.Upper, actual.Upper, 0.02);
    }

    [Fact]
    public void The_stream_decides_the_interval()
    {
        double[] values = [0.5, -0.5, 1, 0.2, -0.1, 0.9, 0.3];
        Assert.Equal(Bootstrap.MeanOverPrompts(values, CounterRandom.Create(3)), Bootstrap.MeanOverPrompts(values, CounterRandom.Create(3)));
        Assert.NotEqual(Bootstrap.MeanOverPrompts(values, CounterRandom.Create(3)), Bootstrap.MeanOverPrompts(values, CounterRandom.Create(4)));
        Assert.Null(Bootstrap.MeanOverPrompts([], CounterRandom.Create(3)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Bootstrap.MeanOverPrompts(values, CounterRandom.Create(3), level: 1));
    }

    [Fact]
    public void Weights_are_Poisson_of_mean_one()
    {
        var counts = new double[PoissonWeights.Max + 1];
        var weights = new byte[1000];
        const int Prompts = 200;
        for (ulong prompt = 0; prompt < Prompts; prompt++)
        {
            PoissonWeights.Fill(1, prompt, weights);
            foreach (byte weight in weights) counts[weight]++;
        }
        double total = Prompts * weights.Length, chi = 0, factorial = 1;
        for (int k = 0; k < 6; k++)
        {
            double expected = total * Math.Exp(-1) / factorial;
            chi += (counts[k] - expected) * (counts[k] - expected) / expected;
            factorial *= k + 1;
        }
        Assert.InRange(chi, 0, 27.9); // the 0.9999 quantile of chi-square with 6 degrees of freedom
    }

    [Fact]
    public void A_weight_is_a_function_of_seed_prompt_and_resample_alone()
    {
        byte[] many = new byte[1003], few = new byte[5], other = new byte[1003];
        PoissonWeights.Fill(1, 9, many);
        PoissonWeights.Fill(1, 9, few);
        Assert.Equal(many[..5], few);
        PoissonWeights.Fill(2, 9, other);
        Assert.NotEqual(many, other);
        PoissonWeights.Fill(1, 10, other);
        Assert.NotEqual(many, other);
    }
}
