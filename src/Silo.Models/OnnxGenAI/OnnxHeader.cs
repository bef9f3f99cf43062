using System.Text;
using Silo.Core;

namespace Silo.Models.OnnxGenAI;

/// <summary>An input or output of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">onnx.TensorProto.DataType.</param>
/// <param name="Sizes">Its shape; -1 where a size is open.</param>
internal sealed record OnnxValue(string Name, int Type, IReadOnlyList<long> Sizes);

/// <summary>A constant of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">onnx.TensorProto.DataType.</param>
/// <param name="Sizes">Its shape.</param>
/// <param name="File">The file beside the graph that holds its values; null where they are in the graph.</param>
internal sealed record OnnxConstant(string Name, int Type, IReadOnlyList<long> Sizes, string? File)
{
    // No tensor is larger, whatever a file claims.
    private const double Most = 1e12;

    public long Count => (long)Math.Min(Most, Sizes.Aggregate(1.0, (product, size) => product * Math.Max(size, 0)));

    public long Bytes => (Count * OnnxHeader.BitsOf(Type) + 7) / 8;
}

/// <summary>
/// What an ONNX file says of its graph; values of constants are passed over. Every length is checked against what is left of the file. Source:
/// onnx/onnx.proto and protobuf.dev/programming-guides/encoding.
/// </summary>
internal sealed class OnnxHeader
{
    private static readonly string[] s_types =
        "undefined,float32,uint8,int8,uint16,int16,int32,int64,string,bool,float16,float64,uint32,uint64,complex64,complex128,bfloat16,float8e4m3fn,float8e4m3fnuz,float8e5m2,float8e5m2fnuz,uint4,int4,float4e2m1".Split(',');

    private const int MostSizes = 64;

    private readonly string _path;
    private readonly Stream _stream;

    private OnnxHeader(string path, Stream stream) => (_path, _stream) = (path, stream);

    public List<OnnxValue> Inputs { get; } = [];

    public List<OnnxValue> Outputs { get; } = [];

    public List<OnnxConstant> Constants { get; } = [];

    /// <summary>Operators, and how often each occurs.</summary>
    public SortedDictionary<string, int> Operators { get; } = new(StringComparer.Ordinal);

    /// <exception cref="SiloException">The file cannot be read, or is no ONNX model.</exception>
    public static OnnxHeader Read(string path)
    {
        try
        {
            using var stream = new BufferedStream(File.OpenRead(path), 1 << 14);
            var header = new OnnxHeader(path, stream);
            header.Fields(stream.Length, (field, length) => { if (field == 7) header.Graph(length); });
            return header.Outputs.Count > 0 ? header : throw header.Fault("no graph with outputs; an ONNX model was expected");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiloException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>The name of a DataType, as tables show it.</summary>
    public static string NameOf(int type) => (uint)type < (uint)s_types.Length ? s_types[type] : $"type {type}";

    /// <summary>Bits of a value.</summary>
    public static int BitsOf(int type) => type switch
    {
        7 or 11 or 13 => 64,
        1 or 6 or 12 => 32,
        4 or 5 or 10 or 16 => 16,
        21 or 22 or 23 => 4,
        _ => 8,
    };

    private void Graph(long length) => Fields(length, (field, bytes) =>
    {
        switch (field)
        {
            case 1:
                Fields(bytes, (part, size) =>
                {
                    if (part != 4) return;
                    var name = Text(size);
                    Operators[name] = Operators.GetValueOrDefault(name) + 1;
                });
                break;
            case 5: Constants.Add(Constant(bytes)); break;
            case 11: Inputs.Add(Value(bytes)); break;
            case 12: Outputs.Add(Value(bytes)); break;
        }
    });

    private OnnxConstant Constant(long length)
    {
        var (name, type, sizes, file) = ("", 0, new List<long>(), (string?)null);
        Fields(length, (field, bytes) =>
        {
            switch (field)
            {
                case 1: Packed(bytes, sizes); break;
                case 8: name = Text(bytes); break;
                case 13:
                    var (key, value) = ("", "");
                    Fields(bytes, (part, size) => _ = part == 1 ? key = Text(size) : part == 2 ? value = Text(size) : "");
                    if (key == "location") file = value;
                    break;
            }
        }, (field, value) =>
        {
            if (field == 1) Add(sizes, value);
            if (field == 2) type = (int)value;
        });
        return new OnnxConstant(name, type, sizes, file);
    }

    private OnnxValue Value(long length)
    {
        var (name, type, sizes) = ("", 0, new List<long>());
        Fields(length, (field, bytes) =>
        {
            if (field == 1) name = Text(bytes);
            if (field != 2) return;
            Fields(bytes, (kind, tensorBytes) =>
            {
                if (kind == 1) Fields(tensorBytes, (part, shapeBytes) => Fields(shapeBytes, (_, size) => Add(sizes, Dimension(size))), (part, value) => { if (part == 1) type = (int)value; });
            });
        });
        return new OnnxValue(name, type, sizes);
    }

    private long Dimension(long length)
    {
        var size = -1L;
        Fields(length, (_, _) => { }, (field, value) => { if (field == 1) size = value; });
        return size;
    }

    /// <summary>Visits the fields of a message. What a visitor does not read is passed over.</summary>
    private void Fields(long length, Action<int, long> message, Action<int, long>? number = null)
    {
        var end = _stream.Position + length;
        if (length < 0 || length > _stream.Length - _stream.Position) throw Fault("a part of it reaches beyond its end; the file is cut off, or no ONNX model");
        while (_stream.Position < end)
        {
            var tag = Varint();
            var field = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0: number?.Invoke(field, Varint()); break;
                case 1: _stream.Position += 8; break;
                case 5: _stream.Position += 4; break;
                case 2:
                    var size = Varint();
                    if (size < 0 || size > end - _stream.Position) throw Fault($"field {field} at byte {_stream.Position} reaches beyond its message; no ONNX model");
                    var next = _stream.Position + size;
                    message(field, size);
                    _stream.Position = next;
                    break;
                default: throw Fault($"unknown wire type {tag & 7} at byte {_stream.Position}; no ONNX model");
            }
        }
        if (_stream.Position != end) throw Fault($"a message ends at byte {_stream.Position}, not {end}; no ONNX model");
    }

    private void Packed(long length, List<long> values)
    {
        for (var end = _stream.Position + length; _stream.Position < end;) Add(values, Varint());
    }

    private void Add(List<long> sizes, long size)
    {
        if (sizes.Count == MostSizes) throw Fault($"a tensor of more than {MostSizes} dimensions; no ONNX model");
        sizes.Add(size);
    }

    private string Text(long length)
    {
        if (length > 1 << 16) throw Fault($"a name of {length} bytes");
        var bytes = new byte[length];
        _stream.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    private long Varint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = _stream.ReadByte();
            if (b < 0) throw Fault("the file is cut off");
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80) return (long)value;
        }
        throw Fault($"a number of more than ten bytes at byte {_stream.Position}; no ONNX model");
    }

    private SiloException Fault(string cause) => new($"{_path}: {cause}");
}
