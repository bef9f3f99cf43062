using Silo.Core.Features;

namespace Silo.Core.Tests.Features;

public class KernelBenchmarkTests
{
    [Fact]
    public void It_measures_rows_of_the_entropies_it_names()
    {
        var result = KernelBenchmark.Run(TimeProvider.System, 1 << 14, 50, 1);
        Assert.Equal(1, result.EntropyByKind[0], 0.05);
        Assert.Equal(4, result.EntropyByKind[1], 0.05);
        Assert.InRange(result.EntropyByKind[2], 6.5, 9.05); // ln 16,384 is 9.7: the bulk's own entropy is the limit
        Assert.True(result.RatioOneTemperature > 0 && result.RatioThreeTemperaturesBf16 > 0 && result.SoftMaxMicroseconds > 0);
        Assert.InRange(result.ShareSorted, 0, 0.05);
    }

    [Fact]
    public void Bfloat16_is_rounded_to_nearest_even() =>
        Assert.Equal(
            [1f, 1.0078125f, 1.015625f, -2f, float.NegativeInfinity],
            BenchmarkRows.ToBfloat16([1.00390625f, 1.0078125f, 1.01171875f, -2.001f, float.NegativeInfinity]));
}
