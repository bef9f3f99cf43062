using System.CommandLine;
using Silo.Cli.Results;
using Silo.Core.Features;

namespace Silo.Cli.Commands;

/// <summary><c>silo bench</c>: how fast this machine is at what takes Silo's time.</summary>
internal static class BenchCommand
{
    public static Command Create() => new("bench", "How fast this machine is at what takes Silo's time.") { Kernel() };

    private static Command Kernel() => new Command("kernel", "The feature kernel against softmax over the same rows (128,256 logits, one thread).")
        .WithExamples("silo bench kernel", "silo bench kernel --json")
        .Does((_, terminal) =>
        {
            var measured = KernelBenchmark.Run(TimeProvider.System);
            if (terminal.Json)
            {
                terminal.WriteJson(measured, CliJson.Readable.KernelBenchmark);
                return;
            }
            terminal.WriteTable(["", "#one temperature", "#three"],
            [
                ["times softmax, float32", Numbers.Show(measured.RatioOneTemperature), Numbers.Show(measured.RatioThreeTemperatures)],
                ["times softmax, rounded to bfloat16", Numbers.Show(measured.RatioOneTemperatureBf16), Numbers.Show(measured.RatioThreeTemperaturesBf16)],
                .. measured.EntropyByKind.Select((entropy, i) => new[]
                {
                    $"rows of {Numbers.Show(entropy, "0.0")} nats", Numbers.Show(measured.RatioOneTemperatureByKind[i]), Numbers.Show(measured.RatioThreeTemperaturesByKind[i]),
                }),
            ]);
            terminal.WriteLine($"""
                softmax {Numbers.Show(measured.SoftMaxMicroseconds, "0")} µs a row; reading the row once takes {Numbers.Show(measured.RatioRead)} of that, building the histogram {Numbers.Show(measured.RatioHistogram)}
                rows with a mass near a threshold, computed again in float64: {Numbers.Show(100 * measured.ShareRecomputed, "0.00")} %; rows that took the sorted path: {Numbers.Show(100 * measured.ShareSorted, "0.00")} %
                """.ReplaceLineEndings("\n"));
        });
}
