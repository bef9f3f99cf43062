using System.Text.Json;
using Silo.Core.Baselines;
using Silo.Core.Features;
using Silo.Core.Statistics;
using Silo.Core.Tests.Features;

namespace Silo.Core.Tests.Baselines;

public class LikelihoodBaselinesTests
{
    private static double[] Column(double[][] rows, TokenFeature feature) => [.. rows.Select(row => row[(int)feature])];

    private static double[][] Rows(JsonElement generation, bool captured)
    {
        double t = generation.Number("T")!.Value;
        int k = generation.Whole("K");
        return [.. generation.Items("steps").Select(step => captured
            ? ReferenceFeatures.Captured(GoldenRows.Logits(step), t, step.Whole("x"), k)
            : ReferenceFeatures.Full(GoldenRows.Logits(step), t, step.Whole("x")))];
    }

    [Fact]
    public void Golden_generations()
    {
        foreach (var generation in Golden.Load("generations.json").Items("generations"))
        {
            string name = generation.Text("name");
            var expected = generation.GetProperty("baselines");
            var rows = Rows(generation, captured: false);
            var actual = LikelihoodBaselines.Compute(
                Column(rows, TokenFeature.LogPX), Column(rows, TokenFeature.LogQX),
                Column(rows, TokenFeature.EntropyP), Column(rows, TokenFeature.MarginP))!.Value;
            Golden.Close(expected.Number("self_perplexity"), actual.SelfPerplexity, name + " self_perplexity");
            Golden.Close(expected.Number("self_perplexity_q"), actual.SelfPerplexityQ, name + " self_perplexity_q");
            Golden.Close(expected.Number("mean_entropy"), actual.MeanEntropy, name + " mean_entropy");
            Golden.Close(expected.Number("mean_margin"), actual.MeanMargin, name + " mean_margin");
            CompressedLengthTests.Check(expected, generation.Text("text"));
        }
    }

    [Theory]
    [InlineData(false, "full_aggregates")]
    [InlineData(true, "captured_aggregates")]
    public void Golden_aggregates_of_features(bool captured, string property)
    {
        foreach (var generation in Golden.Load("generations.json").Items("generations"))
        {
            var rows = Rows(generation, captured);
            var scratch = new double[rows.Length];
            foreach (var expected in generation.GetProperty(property).EnumerateObject())
            {
                int column = Enumerable.Range(0, rows[0].Length).Single(c => TokenFeatures.Names[c] == expected.Name);
                var actual = Aggregate.Compute(Column(rows, (TokenFeature)column), scratch)!.Value;
                string what = $"{generation.Text("name")} {expected.Name}";
                Golden.Close(
                    [.. new[] { "mean", "median", "p10", "p90", "min", "max", "std" }.Select(key => expected.Value.Number(key)!.Value)],
                    [actual.Mean, actual.Median, actual.P10, actual.P90, actual.Min, actual.Max, actual.Std], what);
            }
        }
    }

    [Fact]
    public void A_generation_without_steps_has_no_baselines()
    {
        Assert.Null(LikelihoodBaselines.Compute([], [], [], []));
        Assert.Throws<ArgumentException>(() => LikelihoodBaselines.Compute([1], [1], [1], []));
    }
}
