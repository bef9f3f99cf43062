using System.Runtime.CompilerServices;

namespace Silo.Core.Numerics;

/// <summary>
/// Memory that starts at a cache line and stays where it is, so that no 64-byte vector straddles two lines. Zeroed; kept
/// alive by whoever holds the buffer, who must hold it as long as an address is in use.
/// </summary>
internal sealed unsafe class AlignedBuffer<T>
    where T : unmanaged
{
    private const int Line = 64;

    private readonly T[] _owner;

    public AlignedBuffer(int length)
    {
        _owner = GC.AllocateArray<T>(length + Line / sizeof(T), pinned: true);
        var start = (nint)Unsafe.AsPointer(ref _owner[0]);
        Start = (T*)((start + Line - 1) & -Line);
        Length = length;
    }

    /// <summary>The first element, on a cache line.</summary>
    public T* Start { get; }

    public int Length { get; }

    public Span<T> Span => new(Start, Length);

    public ref T this[int i] => ref Start[i];
}
