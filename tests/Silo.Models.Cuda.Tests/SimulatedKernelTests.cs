using ILGPU;
using ILGPU.Runtime;
using Silo.Core.Features;
using Silo.Models.Cuda.Kernels;

namespace Silo.Models.Cuda.Tests;

/// <summary>On a device that is simulated on the CPU: the same code, everywhere.</summary>
public sealed class SimulatedKernelTests : DeviceFeatureKernelTests
{
    protected override FeatureDevice Device => Devices.Simulated;

    [Fact]
    public void The_size_of_a_block_decides_no_whole_number()
    {
        const int V = 9_000;
        var z = BenchmarkRows.Make(V, 6, 1);
        double[] temperatures = [0.6, 1.3];
        (double[] Full, double[] Captured) Compute(FeatureDevice device)
        {
            double[] full = new double[2 * TokenFeatures.FullCount], captured = new double[2 * TokenFeatures.CapturedCount];
            using var kernel = new DeviceFeatureKernel(device, V, 50, 1, 2);
            kernel.Compute(z, [17], temperatures, full, captured);
            Assert.Equal(0, kernel.Statistics.ForHost);
            return (full, captured);
        }
        var expected = Compute(Device);
        foreach (var (threads, warps) in new[] { (2, 1), (4, 2) })
        {
            using var device = FeatureDevice.Simulated(threads, warps);
            var actual = Compute(device);
            foreach (var (a, b) in expected.Full.Concat(expected.Captured).Zip(actual.Full.Concat(actual.Captured)))
                Assert.True(a == b || (a != Math.Floor(a) && Math.Abs(a - b) < 1e-11), $"{a:R} and {b:R}");
        }
    }

    [Fact]
    public void The_benchmark_runs_through()
    {
        var timing = DeviceKernelBenchmark.Run(Device, 3_000, [2], turns: 1, launches: 1).Single();
        Assert.Equal((2, 0), (timing.Rows, timing.ForHost));
        Assert.All((double[])[timing.Read, timing.ReadByAll, timing.OneTemperature, timing.ThreeTemperatures, timing.Upload, timing.Host], time => Assert.InRange(time, 0, 60));
    }

    [Fact]
    public void A_plain_read_reads_every_word()
    {
        var accelerator = Device.Accelerator;
        var z = Enumerable.Range(0, 2 * 1_003).Select(i => (float)i).ToArray();
        using var logits = accelerator.Allocate1D(z);
        foreach (var blocks in new[] { 1, 3 })
        {
            using var into = accelerator.Allocate1D(new int[2]);
            accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<int>, int, int>(ReadKernel.Run)(new KernelConfig(2 * blocks, Device.Threads), logits.View, into.View, 1_003, blocks);
            accelerator.Synchronize();
            int Word(int row) => z.Skip(row * 1_003).Take(1_003).Aggregate(0, (bits, v) => bits ^ BitConverter.SingleToInt32Bits(v));
            Assert.Equal([Word(0), Word(1)], into.GetAsArray1D());
        }
    }
}
