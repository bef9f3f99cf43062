using System.Runtime.InteropServices;
using System.Text;

namespace Silo.Cluster.Grains.State;

/// <summary>
/// How a state of many numbers lies in a store as plain bytes: no longer than compressed JSON, and a fraction of its
/// processor time. The bytes begin with the form's version; later versions add to the end of an entry.
/// </summary>
/// <param name="Version">The version that is written, from 1.</param>
/// <param name="Write">Writes a value.</param>
/// <param name="Read">Reads a value of the version given or any before.</param>
internal sealed record StateForm<T>(int Version, Action<BinaryWriter, T> Write, Func<BinaryReader, int, T> Read)
{
    private const int LargestScratch = 1 << 20;

    // Grown once, not anew for each value.
    [ThreadStatic]
    private static MemoryStream? s_scratch;

    /// <summary>The value's bytes.</summary>
    public byte[] ToBytes(T value)
    {
        var bytes = s_scratch ??= new MemoryStream();
        bytes.SetLength(0);
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write7BitEncodedInt(Version);
            Write(writer, value);
        }
        var written = bytes.ToArray();
        if (bytes.Capacity > LargestScratch) s_scratch = null;
        return written;
    }

    /// <summary>The value of bytes.</summary>
    /// <exception cref="InvalidDataException">A later version wrote them, or they are damaged.</exception>
    public T FromBytes(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes), Encoding.UTF8);
        try
        {
            var version = reader.Read7BitEncodedInt();
            return version <= Version ? Read(reader, version) : throw new InvalidDataException($"{typeof(T).Name} of version {version}: it was written by a later version");
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"{typeof(T).Name}: the stored bytes are cut short or damaged", e);
        }
    }
}

/// <summary>Arrays in stored bytes: their length, then their elements, little-endian.</summary>
internal static class StateBytes
{
    public static void WriteArray<T>(this BinaryWriter writer, ReadOnlySpan<T> values) where T : unmanaged
    {
        writer.Write7BitEncodedInt(values.Length);
        if (BitConverter.IsLittleEndian || typeof(T) == typeof(byte)) writer.Write(MemoryMarshal.AsBytes(values));
        else throw new PlatformNotSupportedException("states are written on little-endian machines");
    }

    public static T[] ReadArray<T>(this BinaryReader reader) where T : unmanaged
    {
        var values = new T[reader.ReadCount()];
        if (!BitConverter.IsLittleEndian && typeof(T) != typeof(byte)) throw new PlatformNotSupportedException("states are read on little-endian machines");
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>A number of things that follow; none takes less than a byte.</summary>
    public static int ReadCount(this BinaryReader reader)
    {
        var count = reader.Read7BitEncodedInt();
        return count >= 0 && count <= reader.BaseStream.Length ? count : throw new FormatException($"a count of {count}");
    }
}
