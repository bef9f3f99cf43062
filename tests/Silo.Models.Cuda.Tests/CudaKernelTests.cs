namespace Silo.Models.Cuda.Tests;

/// <summary>On the machine's CUDA device, where it has one.</summary>
public sealed class CudaKernelTests : DeviceFeatureKernelTests
{
    protected override FeatureDevice Device => Devices.Cuda;
}
