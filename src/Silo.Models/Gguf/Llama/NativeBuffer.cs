using System.Runtime.InteropServices;

namespace Silo.Models.Gguf.Llama;

/// <summary>
/// Memory outside the managed heap, on a cache line's boundary; freed when disposed or forgotten. Large buffers ask for huge memory pages where the
/// system gives them on request: address translation costs about a tenth of a step otherwise.
/// </summary>
internal sealed unsafe partial class NativeBuffer : SafeHandle
{
    private const int CacheLine = 64, HugePage = 2 << 20;
    private const int AdviseHugePage = 14; // MADV_HUGEPAGE of Linux

    /// <param name="bytes">Its size.</param>
    /// <param name="clear">Whether it begins as zeros.</param>
    public NativeBuffer(long bytes, bool clear = true) : base(0, ownsHandle: true)
    {
        Bytes = bytes;
        var huge = bytes >= HugePage && OperatingSystem.IsLinux();
        var pointer = NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), huge ? (nuint)HugePage : CacheLine);
        // A refusal only means ordinary pages.
        if (huge) _ = Advise((nint)pointer, (nint)(bytes / HugePage * HugePage), AdviseHugePage);
        if (clear) NativeMemory.Clear(pointer, (nuint)bytes);
        SetHandle((nint)pointer);
    }

    public long Bytes { get; }

    public byte* Pointer => (byte*)handle;

    public float* Floats => (float*)handle;

    public override bool IsInvalid => handle == 0;

    public static NativeBuffer OfFloats(long count) => new(count * sizeof(float));

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint start, nint bytes, int advice);
}
