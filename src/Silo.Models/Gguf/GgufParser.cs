using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Silo.Core;

namespace Silo.Models.Gguf;

internal sealed record GgufContent(int Version, IReadOnlyDictionary<string, object> Metadata, IReadOnlyDictionary<string, GgufTensor> Tensors);

/// <summary>Reads the header of a GGUF file from memory. Trusts nothing: what the file claims is compared with what is there.</summary>
internal sealed unsafe class GgufParser(string file, byte* start, long length)
{
    private const int MaxNameBytes = 65_535;
    private const int MaxAlignment = 1 << 20;
    private long _at;

    public GgufContent Parse()
    {
        if (length < 4 || !Bytes(0, 4).SequenceEqual("GGUF"u8)) throw NotGguf();
        _at = 4;
        var version = ReadVersion();
        var tensorCount = Count("the number of tensors", 24);
        var keyCount = Count("the number of metadata keys", 13);
        var metadata = new Dictionary<string, object>(StringComparer.Ordinal);
        for (var i = 0; i < keyCount; i++)
        {
            var where = _at;
            var key = Text("a metadata key", MaxNameBytes);
            var name = Quote(key);
            var value = Value(name, Read<uint>($"the type of {name}"), inArray: false);
            if (!metadata.TryAdd(key, value)) throw Fault(where, $"the metadata key {name} occurs twice");
        }
        return new GgufContent(version, metadata, Tensors(tensorCount, Alignment(metadata)));
    }

    private SiloException NotGguf()
    {
        var head = Encoding.Latin1.GetString(Bytes(0, Math.Min(length, 4)));
        return Fault(0, $"not a GGUF file: it begins with {Quote(head)} instead of \"GGUF\"");
    }

    private int ReadVersion()
    {
        var version = Read<uint>("the version");
        if (version is 2 or 3) return (int)version;
        if (BinaryPrimitives.ReverseEndianness(version) is 2 or 3) throw Fault(4, "a big-endian GGUF file; only little-endian ones are supported");
        throw Fault(4, $"GGUF version {version} is not supported (2 and 3 are)");
    }

    private long Alignment(Dictionary<string, object> metadata)
    {
        if (!metadata.TryGetValue("general.alignment", out var value)) return 32;
        return value is long and > 0 and <= MaxAlignment && long.IsPow2((long)value)
            ? (long)value
            : throw new SiloException($"{file}: metadata: general.alignment is {GgufMetadata.Show(value)}, not a power of two up to {MaxAlignment}");
    }

    private Dictionary<string, GgufTensor> Tensors(long count, long alignment)
    {
        var found = new List<(GgufTensor Tensor, long At)>();
        for (var i = 0L; i < count; i++) found.Add(Tensor(alignment));
        var data = (_at + alignment - 1) / alignment * alignment;
        var tensors = new Dictionary<string, GgufTensor>(StringComparer.Ordinal);
        foreach (var (tensor, at) in found)
        {
            // Both terms lie below 2^63 but their sum may not.
            if ((Int128)data + tensor.Offset + tensor.Bytes > length)
                throw Fault(at, $"tensor {Quote(tensor.Name)} ({tensor.Type}, {tensor.Shape}) ends at byte {(Int128)data + tensor.Offset + tensor.Bytes}, outside the file of {length} bytes");
            if (!tensors.TryAdd(tensor.Name, tensor with { Offset = data + tensor.Offset })) throw Fault(at, $"the tensor {Quote(tensor.Name)} occurs twice");
        }
        GgufTensor? before = null;
        foreach (var tensor in tensors.Values.OrderBy(t => t.Offset))
        {
            if (before is not null && before.Offset + before.Bytes > tensor.Offset)
                throw new SiloException($"{file}: tensors {Quote(before.Name)} and {Quote(tensor.Name)} overlap at byte {tensor.Offset}");
            before = tensor;
        }
        return tensors;
    }

    private (GgufTensor, long) Tensor(long alignment)
    {
        var at = _at;
        var name = Text("a tensor's name", MaxNameBytes);
        var rank = Read<uint>($"the rank of tensor {Quote(name)}");
        if (rank is < 1 or > 4) throw Fault(at, $"tensor {Quote(name)} has {rank} dimensions, not 1 to 4");
        var sizes = new long[rank];
        var product = (Int128)1;
        for (var i = 0; i < rank; i++)
        {
            var size = Read<ulong>($"a dimension of tensor {Quote(name)}");
            // No supported value takes less than a byte, so a dimension beyond the file's size cannot be real.
            if (size == 0 || size > (ulong)length || (product *= size) > length)
                throw Fault(at, $"tensor {Quote(name)} has a dimension of {size}, impossible in a file of {length} bytes");
            sizes[i] = (long)size;
        }
        var code = Read<uint>($"the type of tensor {Quote(name)}");
        if (!GgufTensorTypes.IsSupported(code))
            throw Fault(at, $"tensor {Quote(name)} has type {GgufTensorTypes.NameOf(code)}, which is not supported (F32, F16, BF16 and Q8_0 are)");
        var type = (GgufTensorType)code;
        if (type == GgufTensorType.Q8_0 && sizes[0] % GgufTensorTypes.BlockLength != 0)
            throw Fault(at, $"tensor {Quote(name)} is Q8_0 with rows of {sizes[0]}, no multiple of {GgufTensorTypes.BlockLength}");
        var offset = Read<ulong>($"the offset of tensor {Quote(name)}");
        if (offset > (ulong)length) throw Fault(at, $"tensor {Quote(name)} has offset {offset}, outside the file of {length} bytes");
        if (offset % (ulong)alignment != 0) throw Fault(at, $"tensor {Quote(name)} has offset {offset}, no multiple of the alignment {alignment}");
        var bytes = GgufTensorTypes.RowBytes(type, sizes[0]) * (long)(product / sizes[0]);
        return (new GgufTensor(name, type, sizes, (long)offset, bytes), at);
    }

    private object Value(string name, uint type, bool inArray) => type switch
    {
        0 => (long)Read<byte>(name),
        1 => (long)Read<sbyte>(name),
        2 => (long)Read<ushort>(name),
        3 => (long)Read<short>(name),
        4 => (long)Read<uint>(name),
        5 => (long)Read<int>(name),
        6 => (double)Read<float>(name),
        7 => Flag(name),
        8 => Text(name, length),
        9 when !inArray => Array(name),
        9 => throw Fault(_at, $"{name} is an array of arrays, which is not supported"),
        10 => Read<ulong>(name) is var whole && whole <= long.MaxValue ? (long)whole : whole,
        11 => Read<long>(name),
        12 => Read<double>(name),
        _ => throw Fault(_at - 4, $"{name} has the unknown value type {type}"),
    };

    private object Array(string name)
    {
        var type = Read<uint>($"the element type of {name}");
        var size = type switch { 0 or 1 or 7 => 1, 2 or 3 => 2, 4 or 5 or 6 => 4, 8 or 10 or 11 or 12 => 8, _ => 1 };
        var count = Count($"the number of elements of {name}", size);
        return type switch
        {
            6 => Fill(count, () => Read<float>(name)),
            7 => Fill(count, () => Flag(name)),
            8 => Fill(count, () => Text(name, length)),
            12 => Fill(count, () => Read<double>(name)),
            9 => Value(name, 9, inArray: true),
            < 13 => Fill(count, () => Value(name, type, inArray: true) is long whole ? whole : throw Fault(_at - 8, $"{name} has an element above 2^63 - 1")),
            _ => throw Fault(_at - 12, $"{name} has the unknown element type {type}"),
        };
    }

    private static T[] Fill<T>(long count, Func<T> read)
    {
        var values = new T[count];
        for (var i = 0L; i < count; i++) values[i] = read();
        return values;
    }

    private bool Flag(string name)
    {
        var value = Read<byte>(name);
        return value <= 1 ? value == 1 : throw Fault(_at - 1, $"{name} is a truth value of {value}, not 0 or 1");
    }

    /// <summary>A count of things that take at least <paramref name="size"/> bytes each.</summary>
    private long Count(string what, int size)
    {
        var at = _at;
        var count = Read<ulong>(what);
        return count <= (ulong)(length - _at) / (ulong)size && count <= (ulong)System.Array.MaxLength
            ? (long)count
            : throw Fault(at, $"{what} is {count}, impossible in a file of {length} bytes");
    }

    private string Text(string what, long limit)
    {
        var at = _at;
        var bytes = Read<ulong>($"the length of {what}");
        if (bytes > (ulong)(length - _at)) throw Fault(at, $"{what} has {bytes} bytes, but only {length - _at} are left in the file");
        if (bytes > (ulong)Math.Min(limit, int.MaxValue / 4)) throw Fault(at, $"{what} has {bytes} bytes, which is too long");
        var text = Encoding.UTF8.GetString(Bytes(_at, (long)bytes));
        _at += (long)bytes;
        return text;
    }

    private T Read<T>(string what) where T : unmanaged
    {
        if (length - _at < sizeof(T)) throw Fault(_at, $"truncated: {sizeof(T)} bytes wanted for {what}, the file ends at byte {length}");
        var value = Unsafe.ReadUnaligned<T>(start + _at);
        _at += sizeof(T);
        return value;
    }

    private ReadOnlySpan<byte> Bytes(long at, long count) => new(start + at, checked((int)count));

    private SiloException Fault(long at, string cause) => new($"{file}: byte {at}: {cause}");

    /// <summary>A name from the file, fit for one line.</summary>
    private static string Quote(string name)
    {
        var shown = new StringBuilder("\"");
        foreach (var c in name.Length > 80 ? name[..80] + "..." : name)
            if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029') shown.Append('?');
            else shown.Append(c);
        return shown.Append('"').ToString();
    }
}
