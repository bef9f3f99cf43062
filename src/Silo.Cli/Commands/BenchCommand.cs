using System.CommandLine;
using Silo.Cli.Bench;
using Silo.Cli.Results;
using Silo.Core;
using Silo.Core.Features;
using Silo.Models;
using Silo.Models.Cuda;

namespace Silo.Cli.Commands;

/// <summary><c>silo bench</c>: how fast this machine is at what takes Silo's time.</summary>
internal static class BenchCommand
{
    public static Command Create() => new("bench", "How fast this machine is at what takes Silo's time.") { Kernel(), Decode(), Engine() };

    private static Command Decode()
    {
        var model = Common.Model();
        var threads = Common.Whole("--threads", 1, 1, 1024, "Threads to use.");
        return new Command("decode", "Tokens per second of a model for 1, 8 and 32 rows, and what features cost.") { model, threads }
            .WithExamples("silo bench decode", "silo bench decode --model model.gguf --threads 2 --json")
            .Does((result, terminal) =>
            {
                var measured = DecodeBench.Run(result.GetRequiredValue(model), result.GetValue(threads));
                if (terminal.Json)
                {
                    terminal.WriteJson(measured, CliJson.Readable.DecodeBenchResult);
                    return;
                }
                terminal.WriteTable([$"{measured.Model}, {measured.Threads} threads", "#tokens/s"],
                [
                    ["1 row", Numbers.Show(measured.TokensPerSecond1, "#,0")],
                    ["8 rows", Numbers.Show(measured.TokensPerSecond8, "#,0")],
                    ["32 rows", Numbers.Show(measured.TokensPerSecond32, "#,0")],
                    ["32 rows with all features", Numbers.Show(measured.TokensPerSecond32WithFeatures, "#,0")],
                ]);
                terminal.WriteLine($"""
                    32 rows make {Numbers.Show(measured.BatchGain)} times the tokens of one; features take {Numbers.Show(100 * measured.FeatureShare, "0")} % of the time
                    weights read by 1 row: {Numbers.Show(measured.BytesPerSecond1 / 1e9)} GB/s; a plain loop over as many bytes: {Numbers.Show(measured.PlainLoopBytesPerSecond / 1e9)} GB/s
                    multiplications of 32 rows: {Numbers.Show(measured.MultiplicationsPerSecond32 / 1e9)} G/s; a plain loop in the first cache: {Numbers.Show(measured.PlainLoopMultiplicationsPerSecond / 1e9)} G/s; within registers: {Numbers.Show(measured.PeakMultiplicationsPerSecond / 1e9)} G/s
                    the floor of 32 rows: {Numbers.Show(measured.Floor32.TokensPerSecond, "#,0")} tokens/s ({Numbers.Show(measured.Floor32.Total)} µs: products {Numbers.Show(measured.Floor32.Products)}, attention {Numbers.Show(measured.Floor32.Attention)}, exponentials {Numbers.Show(measured.Floor32.Exponentials)}; beside them reading the cache {Numbers.Show(measured.Floor32.Cache)}); reached: {Numbers.Show(100 * measured.Floor32.Reached, "0")} %
                    """.ReplaceLineEndings("\n"));
            });
    }

    private static Command Engine()
    {
        var model = Common.Model();
        var threads = Common.Whole("--threads", Environment.ProcessorCount, 1, 1024, "Threads to use.");
        var steps = Common.Whole("--steps", 32, 1, 100_000, "Steps of each text.");
        var rounds = Common.Whole("--rounds", 5, 1, 1000, "Rounds; of each step the quickest counts.");
        return new Command("engine", "Steps of a model's engine for 1, 8 and 32 rows: with and without features, what is copied, and sampling.") { model, threads, steps, rounds }
            .WithExamples("silo bench engine", "silo bench engine --model llama-3.1-8b-cuda --steps 64 --json")
            .Does((result, terminal) =>
            {
                using var opened = LanguageModels.Open(result.GetRequiredValue(model), new ModelOptions { Threads = result.GetValue(threads) });
                var timings = EngineBenchmark.Run(opened, result.GetValue(steps), result.GetValue(rounds));
                if (terminal.Json)
                {
                    terminal.WriteJson(new EngineBenchResult(opened.Info.Name, opened.Info.Fingerprint, opened.Info.VocabularySize, opened.Threads, result.GetValue(steps), [.. timings.Select(EngineLine.Of)]), CliJson.Readable.EngineBenchResult);
                    return;
                }
                static string Milliseconds(double? seconds) => seconds is { } s ? Numbers.Show(s * 1e3, "#,0.00") : "";
                terminal.WriteLine($"{opened.Info.Name}: {Numbers.Count(opened.Info.VocabularySize)} tokens, {opened.Threads} threads; {opened.Info.Engine}; {opened.Info.NumericProfile}");
                terminal.WriteTable(["milliseconds a step", .. timings.Select(t => $"#{t.Rows} rows")],
                [
                    ["without features", .. timings.Select(t => Milliseconds(t.Step))],
                    ["with features at one temperature", .. timings.Select(t => Milliseconds(t.StepWithFeatures))],
                    ["with features at three", .. timings.Select(t => Milliseconds(t.StepWithThree))],
                    ["copies between runtime and host", .. timings.Select(t => Milliseconds(t.Copies))],
                    ["megabytes copied", .. timings.Select(t => Numbers.Show(t.CopiedBytes / 1e6, "#,0.00"))],
                    ["sampling, Silo's", .. timings.Select(t => Milliseconds(t.OwnSampling))],
                    ["sampling, the runtime's own", .. timings.Select(t => Milliseconds(t.RuntimeSampling))],
                    ["tokens/s without features", .. timings.Select(t => Numbers.Show(t.TokensPerSecond, "#,0"))],
                ]);
            });
    }

    private static Command Kernel()
    {
        var device = new Option<bool>("--device") { Description = "The kernel for CUDA devices instead, against plain reads of the same bytes; 1, 8, 32 and 256 rows." };
        return new Command("kernel", "The feature kernel against softmax over the same rows (128,256 logits, one thread).") { device }
            .WithExamples("silo bench kernel", "silo bench kernel --json", "silo bench kernel --device")
            .Does((result, terminal) =>
            {
                if (result.GetValue(device)) OnDevice(terminal);
                else OnHost(terminal);
            });
    }

    private static void OnDevice(Terminal terminal)
    {
        using var device = FeatureDevice.Cuda() ?? throw new SiloException("no CUDA device can be seen; features are computed on the CPU here (silo bench kernel)");
        var measured = DeviceKernelBenchmark.Run(device, 128_256, [1, 8, 32, 256]);
        if (terminal.Json)
        {
            terminal.WriteJson(new DeviceBenchResult(device.Name, 128_256, measured), CliJson.Readable.DeviceBenchResult);
            return;
        }
        static string Microseconds(double seconds) => Numbers.Show(seconds * 1e6, "#,0.0");
        terminal.WriteLine($"{device.Name}: 128,256 logits a row, K = 200");
        terminal.WriteTable(["microseconds", .. measured.Select(m => $"#{m.Rows} rows")],
        [
            ["a plain read, one block a row", .. measured.Select(m => Microseconds(m.Read))],
            ["a plain read by the whole device", .. measured.Select(m => Microseconds(m.ReadByAll))],
            ["features at one temperature", .. measured.Select(m => Microseconds(m.OneTemperature))],
            ["the same in plain reads", .. measured.Select(m => Numbers.Show(m.InReads))],
            ["features at three temperatures", .. measured.Select(m => Microseconds(m.ThreeTemperatures))],
            ["copying the rows to the device", .. measured.Select(m => Microseconds(m.Upload))],
            ["features on one core of the host", .. measured.Select(m => Microseconds(m.Host))],
            ["percent left to the host", .. measured.Select(m => Numbers.Show(100 * m.ForHost, "0.00"))],
            ["megabytes of the device", .. measured.Select(m => Numbers.Show(m.DeviceBytes / 1e6, "#,0.0"))],
        ]);
    }

    private static void OnHost(Terminal terminal)
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
    }
}
