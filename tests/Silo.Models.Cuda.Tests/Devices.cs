namespace Silo.Models.Cuda.Tests;

/// <summary>Shared by the tests of this process.</summary>
internal static class Devices
{
    private static readonly Lazy<FeatureDevice> s_simulated = new(() => FeatureDevice.Simulated());
    private static readonly Lazy<FeatureDevice?> s_cuda = new(FeatureDevice.Cuda);

    public static FeatureDevice Simulated => s_simulated.Value;

    /// <summary>The CUDA device; skips the running test, by name, where there is none.</summary>
    public static FeatureDevice Cuda
    {
        get
        {
            if (s_cuda.Value is null) Assert.Skip("no CUDA device is here");
            return s_cuda.Value;
        }
    }
}
