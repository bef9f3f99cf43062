using System.Text.Json;
using Silo.Core.Features;
using Silo.Experiments.Generation;
using Silo.Experiments.Measures;
using Silo.Experiments.Spec;

namespace Silo.Experiments.Tests.Measures;

public class ReduceTests
{
    private static readonly MeasureCatalog s_catalog = MeasureCatalog.For(new MeasureCatalogOptions { ReferenceTemperatures = [1.5] });

    // Steps of the golden generations that are given in full; those that are only a formula belong to the kernel's tests.
    private static float[]? Logits(JsonElement step) => !step.TryGetProperty("z", out var z) ? null
        : [.. z.Numbers().Select(v => (float)v)];

    private static GenerationResult Generation(JsonElement golden, float[][] logits)
    {
        var temperature = golden.Number("T")!.Value;
        double[] temperatures = [temperature, 1.5];
        int[] tokens = [.. golden.Items("steps").Select(s => s.Whole("x"))];
        double[] full = new double[tokens.Length * 2 * TokenFeatures.FullCount], captured = new double[tokens.Length * 2 * TokenFeatures.CapturedCount];
        for (var t = 0; t < tokens.Length; t++)
        {
            new FeatureKernel(logits[t].Length, golden.Whole("K")).Compute(logits[t], temperatures, tokens[t],
                full.AsSpan(t * 2 * TokenFeatures.FullCount, 2 * TokenFeatures.FullCount),
                captured.AsSpan(t * 2 * TokenFeatures.CapturedCount, 2 * TokenFeatures.CapturedCount));
        }
        return new(new("p", temperature, 0), tokens, golden.Text("text"), FinishReason.Length, new(tokens.Length, temperatures, full, captured), "test");
    }

    [Fact]
    public void A_records_measures_are_the_golden_aggregates_and_baselines()
    {
        var checkedOnes = 0;
        foreach (var golden in Golden.Load("generations.json").Items("generations"))
        {
            var logits = golden.Items("steps").Select(Logits).ToArray();
            if (Array.Exists(logits, z => z is null)) continue;
            checkedOnes++;
            var name = golden.Text("name");
            var record = s_catalog.Reduce(Generation(golden, logits!), TraceKeeping.None);
            foreach (var (prefix, property) in new[] { ("", "full_aggregates"), ("captured.", "captured_aggregates") })
                foreach (var feature in golden.GetProperty(property).EnumerateObject())
                    foreach (var aggregate in feature.Value.EnumerateObject())
                    {
                        // The Hellinger distance of equal distributions is 0 up to the root of the rounding.
                        var tolerance = feature.Name == "hellinger" ? 1e-5 : 1e-6;
                        Golden.Close(aggregate.Value.GetDouble(), Value(record, $"{prefix}{feature.Name}.{aggregate.Name}"), $"{name} {prefix}{feature.Name}.{aggregate.Name}", tolerance);
                    }
            foreach (var key in new[] { "self_perplexity", "self_perplexity_q", "mean_entropy", "mean_margin", "utf8_len" })
                Golden.Close(golden.GetProperty("baselines").Number(key), Value(record, key), $"{name} {key}", 1e-6);
            // Compressed lengths depend on the deflate library (SCHEMA 4).
            Golden.Close(golden.GetProperty("baselines").Number("gzip_ratio") ?? double.NaN, Value(record, "gzip_ratio"), $"{name} gzip_ratio", 0.05);
        }
        Assert.True(checkedOnes > 0);
    }

    private static double Value(GenerationRecord record, string name) => record.Measures[s_catalog.IndexOf(name)];

    [Fact]
    public void A_twin_at_the_texts_own_temperature_equals_the_measure()
    {
        var result = Synthetic(temperature: 1.5, steps: 4);
        var record = s_catalog.Reduce(result, TraceKeeping.None);
        foreach (var measure in s_catalog.Measures.Where(m => m.ReferenceTemperature is not null))
            Assert.Equal(Value(record, measure.Name.Replace("@1.5", "", StringComparison.Ordinal)), Value(record, measure.Name));
    }

    [Fact]
    public void A_text_without_tokens_has_no_aggregates_but_measures_of_the_text()
    {
        var record = s_catalog.Reduce(Synthetic(0.8, steps: 0), TraceKeeping.Own);
        Assert.True(double.IsNaN(Value(record, "leak.mean")));
        Assert.True(double.IsNaN(Value(record, "self_perplexity")));
        Assert.Equal(3, Value(record, "words"));
    }

    [Fact]
    public void The_feature_hash_changes_with_any_bit_of_any_feature()
    {
        var result = Synthetic(0.8, steps: 3);
        var hash = s_catalog.Reduce(result, TraceKeeping.None).FeatureHash;
        Assert.Equal(hash, s_catalog.Reduce(Synthetic(0.8, steps: 3), TraceKeeping.All).FeatureHash);
        result.Trace.Captured[^1] = BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(result.Trace.Captured[^1]) ^ 1);
        Assert.NotEqual(hash, s_catalog.Reduce(result, TraceKeeping.None).FeatureHash);
    }

    private static GenerationResult Synthetic(double temperature, int steps)
    {
        double[] temperatures = [temperature, 1.5];
        double[] full = new double[steps * 2 * TokenFeatures.FullCount], captured = new double[steps * 2 * TokenFeatures.CapturedCount];
        var kernel = new FeatureKernel(5, 200);
        for (var t = 0; t < steps; t++)
            kernel.Compute([1f, 2f, 0.5f * t, -1f, 3f], temperatures, t, full.AsSpan(t * 2 * TokenFeatures.FullCount, 2 * TokenFeatures.FullCount),
                captured.AsSpan(t * 2 * TokenFeatures.CapturedCount, 2 * TokenFeatures.CapturedCount));
        return new(new("p", temperature, 0), [.. Enumerable.Range(0, steps)], "once upon once", FinishReason.Stop, new(steps, temperatures, full, captured), "test");
    }
}
