using Silo.Core.Features;

namespace Silo.Core.Tests.Features;

public class ReferenceFeaturesTests
{
    [Fact]
    public void Every_golden_case_is_met_to_1e_9()
    {
        var cases = GoldenRows.Cases().ToList();
        Assert.Equal(2 * 375 + 32, cases.Count);
        foreach (var c in cases)
        {
            var z = GoldenRows.Rows[c.Row];
            var actual = c.K is { } k ? ReferenceFeatures.Captured(z, c.T, c.X, k) : ReferenceFeatures.Full(z, c.T, c.X);
            GoldenRows.Check(c, actual, 1e-9);
        }
    }

    [Fact]
    public void Every_step_of_the_golden_generations_is_met_as_far_as_their_aggregates_tell()
    {
        foreach (var g in GoldenRows.Read("generations.json").GetProperty("generations").EnumerateArray())
        {
            double temperature = g.GetProperty("T").GetDouble();
            var k = g.GetProperty("K").GetInt32();
            var steps = g.GetProperty("steps").EnumerateArray()
                .Select(step => (Z: GoldenRows.Logits(step), X: step.GetProperty("x").GetInt32())).ToList();
            Check("full_aggregates", [.. steps.Select(s => ReferenceFeatures.Full(s.Z, temperature, s.X))]);
            Check("captured_aggregates", [.. steps.Select(s => ReferenceFeatures.Captured(s.Z, temperature, s.X, k))]);

            void Check(string key, double[][] rows)
            {
                for (var column = 0; column < rows[0].Length; column++)
                {
                    var expected = g.GetProperty(key).GetProperty(TokenFeatures.Names[column]);
                    double[] values = [.. rows.Select(row => row[column]).Order()];
                    void Same(string name, double actual)
                    {
                        var want = expected.GetProperty(name).GetDouble();
                        // Hellinger's own rounding (SCHEMA 2.1) shows in its aggregates.
                        var tolerance = TokenFeatures.Names[column] == "hellinger" ? 1e-6 : 1e-9;
                        Assert.True(Math.Abs(actual - want) <= tolerance * Math.Max(1, Math.Abs(want)),
                            $"{g.GetProperty("name")}: {name} of {key} {TokenFeatures.Names[column]} is {actual:R}, expected {want:R}");
                    }
                    Same("mean", values.Average());
                    Same("median", (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2);
                    Same("min", values[0]);
                    Same("max", values[^1]);
                }
            }
        }
    }

    [Fact]
    public void Two_tokens_follow_the_closed_forms()
    {
        // z = (ln 3, 0): p = (3/4, 1/4); T = 1/2: q = (9/10, 1/10).
        var row = ReferenceFeatures.Full([MathF.Log(3), 0], 0.5, 1);
        double Of(TokenFeature feature) => row[(int)feature];
        Assert.Equal(1, Of(TokenFeature.WidthP50));
        Assert.Equal(2, Of(TokenFeature.WidthP90));
        Assert.Equal(2, Of(TokenFeature.WidthQ95));
        Assert.Equal(0.75, Of(TokenFeature.Top1P), 1e-7);
        Assert.Equal(0.9, Of(TokenFeature.Top1Q), 1e-7);
        Assert.Equal(0.15, Of(TokenFeature.Tv), 1e-7);
        Assert.Equal(0.9 * Math.Log(1.2) + 0.1 * Math.Log(0.4), Of(TokenFeature.KlQP), 1e-7);
        Assert.Equal(1 - Math.Sqrt(0.675) - Math.Sqrt(0.025), Math.Pow(Of(TokenFeature.Hellinger), 2), 1e-7);
        Assert.Equal(2, Of(TokenFeature.RankX));
    }

    [Theory]
    [InlineData(new[] { 0f, float.NaN }, 1.0, 0, "logit 1 is NaN")]
    [InlineData(new[] { 0f, float.PositiveInfinity }, 1.0, 0, "logit 1 is +infinity")]
    [InlineData(new[] { float.NegativeInfinity, float.NegativeInfinity }, 1.0, 0, "all logits are masked (-infinity)")]
    [InlineData(new[] { 0f, float.NegativeInfinity }, 1.0, 1, "token 1 is masked (its logit is -infinity) and cannot have been sampled")]
    [InlineData(new[] { 0f, 1f }, 1.0, 2, "token 2 is outside the row of 2 logits")]
    [InlineData(new[] { 0f, 1f }, 1.0, -1, "token -1 is outside the row of 2 logits")]
    [InlineData(new[] { 0f, 1f }, 0.0, 0, "temperature 0: a finite number above 0 expected")]
    [InlineData(new[] { 0f, 1f }, double.NaN, 0, "temperature NaN: a finite number above 0 expected")]
    public void What_cannot_be_used_is_named(float[] z, double temperature, int token, string message)
    {
        Assert.Equal(message, Assert.Throws<SiloException>(() => ReferenceFeatures.Full(z, temperature, token)).Message);
        Assert.Equal(message, Assert.Throws<SiloException>(() => ReferenceFeatures.Captured(z, temperature, token, 3)).Message);
        Assert.Equal(message, Assert.Throws<SiloException>(() =>
            new FeatureKernel(z.Length, 3).Compute(z, [temperature], token, new double[28], new double[31])).Message);
    }
}
