using System.Diagnostics;
using ILGPU;
using ILGPU.Runtime;
using Silo.Core.Features;
using Silo.Models.Cuda.Kernels;

namespace Silo.Models.Cuda;

/// <summary>What so many rows take on a device. Seconds; each the median of turns, but for the host's.</summary>
/// <param name="Rows">Rows of a launch.</param>
/// <param name="Read">A plain read of the same bytes, one block a row, as the kernel reads them.</param>
/// <param name="ReadByAll">The same read by the whole device.</param>
/// <param name="OneTemperature">All features, full and captured, at one temperature; the rows lie on the device.</param>
/// <param name="ThreeTemperatures">The same at three.</param>
/// <param name="Upload">Copying the rows from the host's memory to the device.</param>
/// <param name="Host">The managed kernel on one core, at one temperature.</param>
/// <param name="ForHost">Share of the rows that the device leaves to the host.</param>
/// <param name="DeviceBytes">Memory of the device that the kernel takes at three temperatures.</param>
public sealed record DeviceKernelTiming(
    int Rows, double Read, double ReadByAll, double OneTemperature, double ThreeTemperatures, double Upload, double Host, double ForHost, long DeviceBytes)
{
    /// <summary>Features at one temperature in plain reads by one block a row; four is aimed at.</summary>
    public double InReads => OneTemperature / Read;
}

/// <summary>The device's kernel against plain reads of the same bytes. Rows of 1, 4 and 9 nats, in equal parts; small launches find theirs in the device's cache, as behind a model.</summary>
public static class DeviceKernelBenchmark
{
    private const int CaptureSize = 200, Distinct = 12, WarmUp = 3;
    private static readonly double[] s_entropies = [1, 4, 9];

    /// <summary>Measures; the device is otherwise left alone meanwhile.</summary>
    /// <param name="device">The device; on a simulated one the times say nothing.</param>
    /// <param name="vocabularySize">V.</param>
    /// <param name="rows">Rows of the launches to measure.</param>
    /// <param name="turns">Turns; all kinds of launch take turns.</param>
    /// <param name="launches">Launches of each kind a turn, one after the other.</param>
    public static IReadOnlyList<DeviceKernelTiming> Run(FeatureDevice device, int vocabularySize, IReadOnlyList<int> rows, int turns = 15, int launches = 10)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(turns, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(launches, 1);
        var kinds = Enumerable.Range(0, Distinct).Select(i => BenchmarkRows.Make(vocabularySize, s_entropies[i % s_entropies.Length], i)).ToArray();
        return [.. rows.Select(count => Measure(device, vocabularySize, kinds, count, turns, launches))];
    }

    private static DeviceKernelTiming Measure(FeatureDevice device, int vocabularySize, float[][] kinds, int rows, int turns, int launches)
    {
        var accelerator = device.Accelerator;
        var read = accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<int>, int, int>(ReadKernel.Run);
        using var one = new DeviceFeatureKernel(device, vocabularySize, CaptureSize, rows, 1);
        using var three = new DeviceFeatureKernel(device, vocabularySize, CaptureSize, rows, 3);
        using var into = accelerator.Allocate1D<int>(rows);
        var logits = new float[(long)rows * vocabularySize];
        for (var row = 0; row < rows; row++) kinds[row % Distinct].CopyTo(logits, row * vocabularySize);
        int[] tokens = [.. Enumerable.Range(0, rows).Select(row => row * 97 % vocabularySize)];
        double[] single = [.. Enumerable.Repeat(0.8, rows)], triple = [.. Enumerable.Range(0, rows).SelectMany(_ => (double[])[0.3, 0.8, 1.5])];
        double[] full = new double[rows * TokenFeatures.FullCount], captured = new double[rows * TokenFeatures.CapturedCount];
        one.Compute(logits, tokens, single, full, captured);
        three.Upload(logits, tokens, triple);
        // Enough blocks for every multiprocessor to be busy.
        var blocksPerRow = Math.Max(1, (8 * device.Multiprocessors) / rows);
        Action[] kindsOfLaunch =
        [
            () => read(new KernelConfig(rows, device.Threads), one.DeviceLogits, into.View, vocabularySize, 1),
            () => read(new KernelConfig(rows * blocksPerRow, device.Threads), one.DeviceLogits, into.View, vocabularySize, blocksPerRow),
            () => one.Start(rows),
            () => three.Start(rows),
            () => one.Upload(logits, tokens, single),
        ];
        var times = kindsOfLaunch.Select(_ => new List<double>()).ToArray();
        for (var turn = -Math.Min(WarmUp, turns - 1); turn < turns; turn++)
            for (var kind = 0; kind < kindsOfLaunch.Length; kind++)
            {
                var start = Stopwatch.GetTimestamp();
                for (var i = 0; i < launches; i++) kindsOfLaunch[kind]();
                accelerator.Synchronize();
                if (turn >= 0) times[kind].Add(Stopwatch.GetElapsedTime(start).TotalSeconds / launches);
            }
        double Median(int kind) => times[kind].Order().ElementAt(times[kind].Count / 2);
        return new DeviceKernelTiming(rows, Median(0), Median(1), Median(2), Median(3), Median(4), rows * OnHost(kinds, turns), (double)one.Statistics.ForHost / one.Statistics.Rows, three.DeviceBytes);
    }

    private static double OnHost(float[][] kinds, int turns)
    {
        var kernel = new FeatureKernel(kinds[0].Length, CaptureSize);
        double[] full = new double[TokenFeatures.FullCount], captured = new double[TokenFeatures.CapturedCount];
        var least = kinds.Select(_ => double.MaxValue).ToArray();
        for (var turn = -Math.Min(WarmUp, turns - 1); turn < turns; turn++)
            for (var kind = 0; kind < kinds.Length; kind++)
            {
                var start = Stopwatch.GetTimestamp();
                kernel.Compute(kinds[kind], [0.8], 0, full, captured);
                if (turn >= 0) least[kind] = Math.Min(least[kind], Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        return least.Average();
    }
}
