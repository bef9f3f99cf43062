using System.Text.Json.Serialization.Metadata;
using Silo.Cli.Results;

namespace Silo.Cli.Tests.Results;

/// <summary>The keys that programs rely on, where a run of the command would take long.</summary>
public class CliJsonTests
{
    [Fact]
    public void The_kernel_benchmark_has_its_four_ratios() => Has(CliJson.Readable.KernelBenchmark,
        "ratio_one_temperature", "ratio_three_temperatures", "ratio_one_temperature_bf16", "ratio_three_temperatures_bf16");

    [Fact]
    public void The_decode_benchmark_has_its_three_speeds() => Has(CliJson.Readable.DecodeBenchResult,
        "tokens_per_second_1", "tokens_per_second_8", "tokens_per_second_32", "threads", "floor_32");

    [Fact]
    public void The_last_event_of_a_run_says_what_it_came_to() => Has(CliJson.Readable.DoneLine,
        "event", "run", "generations", "tokens", "seconds", "digest", "report");

    [Fact]
    public void Undefined_numbers_are_null_and_text_stays_readable()
    {
        var line = System.Text.Json.JsonSerializer.Serialize(
            new PerplexityLine(double.NaN, double.PositiveInfinity, 1, 2), CliJson.Readable.PerplexityLine);
        Assert.Equal("""{"bits_per_byte":null,"perplexity":null,"tokens":1,"bytes":2}""", line);
        Assert.Equal("\"ß → <b>\"", System.Text.Json.JsonSerializer.Serialize("ß → <b>", CliJson.Readable.String));
    }

    private static void Has(JsonTypeInfo type, params string[] keys) => Assert.Empty(keys.Except(type.Properties.Select(property => property.Name)));
}
