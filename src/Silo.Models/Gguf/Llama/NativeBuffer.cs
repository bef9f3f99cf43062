using System.Runtime.InteropServices;

namespace Silo.Models.Gguf.Llama;

/// <summary>Memory outside the managed heap, on a cache line's boundary; freed when disposed or forgotten.</summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    /// <param name="bytes">Its size.</param>
    /// <param name="clear">Whether it begins as zeros.</param>
    public NativeBuffer(long bytes, bool clear = true) : base(0, ownsHandle: true)
    {
        Bytes = bytes;
        var pointer = NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), 64);
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
}
