using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace Silo.Models.Cuda;

/// <summary>
/// A device that <see cref="DeviceFeatureKernel"/> runs on: the first CUDA device that the process may use (its driver compiles the kernel; no toolkit is
/// needed), or a simulation of a small one on the CPU, which shows that the kernel is right and nothing of its speed.
/// </summary>
public sealed class FeatureDevice : IDisposable
{
    // More threads would leave each too few registers for float64.
    private const int MostThreads = 512;

    private readonly Context _context;

    private FeatureDevice(Context context, Accelerator accelerator)
    {
        (_context, Accelerator) = (context, accelerator);
        Threads = Math.Min(MostThreads, accelerator.MaxNumThreadsPerGroup);
    }

    /// <summary>The device's name.</summary>
    public string Name => Accelerator.Name;

    /// <summary>Whether it is a CUDA device, and no simulation.</summary>
    public bool IsCuda => Accelerator is CudaAccelerator;

    /// <summary>Blocks that run at the same time, at least.</summary>
    public int Multiprocessors => Accelerator.NumMultiprocessors;

    internal Accelerator Accelerator { get; }

    /// <summary>Threads of a block.</summary>
    internal int Threads { get; }

    /// <summary>The first CUDA device, or null where there is none, or no driver.</summary>
    public static FeatureDevice? Cuda()
    {
        Context? context = null;
        try
        {
            context = Context.Create(builder => builder.Optimize(OptimizationLevel.O2).Cuda());
            if (context.Devices.OfType<CudaDevice>().FirstOrDefault() is { } device) return new FeatureDevice(context, device.CreateAccelerator(context));
        }
        catch (Exception e) when (e is CudaException or NotSupportedException or DllNotFoundException or EntryPointNotFoundException)
        {
            // A driver that finds no device, or none that works, is no device.
        }
        context?.Dispose();
        return null;
    }

    /// <summary>A simulated device.</summary>
    /// <param name="threadsPerWarp">Threads of a warp, a power of two, at least 2.</param>
    /// <param name="warps">Warps of a block, a power of two.</param>
    public static FeatureDevice Simulated(int threadsPerWarp = 2, int warps = 2)
    {
        var context = Context.Create(builder => builder.CPU(new CPUDevice(threadsPerWarp, warps, 1)));
        return new FeatureDevice(context, context.Devices.OfType<CPUDevice>().First().CreateCPUAccelerator(context, CPUAcceleratorMode.Parallel));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Accelerator.Dispose();
        _context.Dispose();
    }
}
