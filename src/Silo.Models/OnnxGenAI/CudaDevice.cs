using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Silo.Models.OnnxGenAI;

/// <summary>
/// A CUDA device as its driver describes it (libcuda for what it is, NVML for its memory and the driver's version). Which devices are visible, and
/// which comes first, is for <c>CUDA_VISIBLE_DEVICES</c> to say. Sources: cuda.h (driver API), nvml.h.
/// </summary>
public sealed unsafe class CudaDevice
{
    private const int ComputeCapabilityMajor = 75, ComputeCapabilityMinor = 76;
    private static readonly Lazy<CudaDevice?> s_first = new(() =>
    {
        try
        {
            return Find();
        }
        catch (EntryPointNotFoundException)
        {
            // A driver from before any that the runtime could use.
            return null;
        }
    });
    private readonly nint _nvml;
    private readonly nint _memoryInfo;

    private CudaDevice(string name, string uuid, Version computeCapability, long memory, string driver, nint nvml, nint memoryInfo) =>
        (Name, Uuid, ComputeCapability, MemoryBytes, Driver, _nvml, _memoryInfo) = (name, uuid, computeCapability, memory, driver, nvml, memoryInfo);

    /// <summary>Its name, e.g. NVIDIA H100 80GB HBM3.</summary>
    public string Name { get; }

    /// <summary>Its unique id, <c>GPU-</c> and a UUID.</summary>
    public string Uuid { get; }

    /// <summary>Its compute capability.</summary>
    public Version ComputeCapability { get; }

    /// <summary>All its memory, in bytes.</summary>
    public long MemoryBytes { get; }

    /// <summary>Version of the driver, or <c>unknown</c> where NVML is not there to tell.</summary>
    public string Driver { get; }

    /// <summary>Name, capability and driver: what the bits of its results may depend on.</summary>
    public string Profile => $"cuda {Name} sm_{ComputeCapability.Major}{ComputeCapability.Minor} driver {Driver}";

    /// <summary>Bytes of its memory that nobody has taken now, or null where NVML is not there to tell.</summary>
    public long? FreeBytes
    {
        get
        {
            Memory memory;
            return _memoryInfo != 0 && ((delegate* unmanaged<nint, Memory*, int>)_memoryInfo)(_nvml, &memory) == 0 ? (long)memory.Free : null;
        }
    }

    /// <summary>The first device that this process may use, or null where there is none, or no driver.</summary>
    public static CudaDevice? First() => s_first.Value;

    private static CudaDevice? Find()
    {
        var names = OperatingSystem.IsWindows() ? ("nvcuda.dll", "nvml.dll") : ("libcuda.so.1", "libnvidia-ml.so.1");
        if (!NativeLibrary.TryLoad(names.Item1, out var cuda)) return null;
        var init = (delegate* unmanaged<uint, int>)NativeLibrary.GetExport(cuda, "cuInit");
        var get = (delegate* unmanaged<int*, int, int>)NativeLibrary.GetExport(cuda, "cuDeviceGet");
        var getName = (delegate* unmanaged<byte*, int, int, int>)NativeLibrary.GetExport(cuda, "cuDeviceGetName");
        var getTotal = (delegate* unmanaged<nuint*, int, int>)NativeLibrary.GetExport(cuda, "cuDeviceTotalMem_v2");
        var getUuid = (delegate* unmanaged<Guid*, int, int>)NativeLibrary.GetExport(cuda, "cuDeviceGetUuid");
        var getAttribute = (delegate* unmanaged<int*, int, int, int>)NativeLibrary.GetExport(cuda, "cuDeviceGetAttribute");
        int device, major, minor;
        nuint total;
        Guid id;
        Span<byte> buffer = stackalloc byte[256];
        fixed (byte* text = buffer)
            if (init(0) != 0 || get(&device, 0) != 0 || getName(text, buffer.Length, device) != 0 || getTotal(&total, device) != 0 || getUuid(&id, device) != 0
                || getAttribute(&major, ComputeCapabilityMajor, device) != 0 || getAttribute(&minor, ComputeCapabilityMinor, device) != 0)
                return null;
        // CUuuid is sixteen bytes in the order in which they are written.
        var uuid = "GPU-" + new Guid(new ReadOnlySpan<byte>(&id, 16), bigEndian: true).ToString("D", CultureInfo.InvariantCulture);
        var (driver, handle, memoryInfo) = Nvml(names.Item2, uuid);
        return new CudaDevice(TextOf(buffer), uuid, new Version(major, minor), (long)total, driver, handle, memoryInfo);
    }

    private static (string Driver, nint Device, nint MemoryInfo) Nvml(string library, string uuid)
    {
        if (!NativeLibrary.TryLoad(library, out var nvml)) return ("unknown", 0, 0);
        var init = (delegate* unmanaged<int>)NativeLibrary.GetExport(nvml, "nvmlInit_v2");
        var version = (delegate* unmanaged<byte*, uint, int>)NativeLibrary.GetExport(nvml, "nvmlSystemGetDriverVersion");
        var byUuid = (delegate* unmanaged<byte*, nint*, int>)NativeLibrary.GetExport(nvml, "nvmlDeviceGetHandleByUUID");
        Span<byte> buffer = stackalloc byte[96];
        nint handle;
        fixed (byte* text = buffer)
        fixed (byte* id = Encoding.ASCII.GetBytes(uuid + "\0"))
        {
            if (init() != 0 || version(text, (uint)buffer.Length) != 0) return ("unknown", 0, 0);
            return byUuid(id, &handle) == 0
                ? (TextOf(buffer), handle, NativeLibrary.GetExport(nvml, "nvmlDeviceGetMemoryInfo"))
                : (TextOf(buffer), 0, 0);
        }
    }

    private static string TextOf(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text[..Math.Max(0, text.IndexOf((byte)0))]).Trim();

    private struct Memory
    {
#pragma warning disable CS0649 // Written by NVML.
        public ulong Total, Free, Used;
#pragma warning restore CS0649
    }
}
