using Silo.Models.Cuda;

namespace Silo.Cli.Results;

/// <summary>What <c>silo bench kernel --device</c> measured.</summary>
internal sealed record DeviceBenchResult(string Device, int VocabularySize, IReadOnlyList<DeviceKernelTiming> Rows);
