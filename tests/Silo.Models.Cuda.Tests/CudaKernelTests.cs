using Silo.Core.Features;

namespace Silo.Models.Cuda.Tests;

/// <summary>On the machine's CUDA device, where it has one.</summary>
public sealed class CudaKernelTests : DeviceFeatureKernelTests
{
    protected override FeatureDevice Device => Devices.Cuda;

    [Fact]
    public void Nothing_is_allocated()
    {
        const int V = 20_000, Rows = 8;
        var logits = Enumerable.Range(0, Rows).SelectMany(i => BenchmarkRows.Make(V, 4, i)).ToArray();
        int[] tokens = [.. Enumerable.Range(0, Rows)];
        double[] temperatures = [.. Enumerable.Repeat(0.8, Rows)], full = new double[Rows * TokenFeatures.FullCount], captured = new double[Rows * TokenFeatures.CapturedCount];
        using var kernel = new DeviceFeatureKernel(Device, V, 200, Rows, 1);
        for (var i = 0; i < 3; i++) kernel.Compute(logits, tokens, temperatures, full, captured);
        var least = Enumerable.Range(0, 5).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            kernel.Compute(logits, tokens, temperatures, full, captured);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        // What ILGPU itself needs to start a kernel and copy: some objects, whatever the rows.
        Assert.InRange(least, 0, 4_096);
    }
}
