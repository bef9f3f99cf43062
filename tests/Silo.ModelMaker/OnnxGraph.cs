using System.Runtime.InteropServices;

namespace Silo.ModelMaker;

/// <summary>Builds an ONNX model: what of onnx.proto a transformer needs.</summary>
internal sealed class OnnxGraph
{
    /// <summary>onnx.TensorProto.DataType.</summary>
    public const int F32 = 1, I32 = 6, I64 = 7, F16 = 10;

    private const string Contrib = "com.microsoft";
    private readonly ProtobufWriter _graph = new();
    private int _nodes;

    /// <summary>A graph input; a name for a size leaves it open.</summary>
    public void Input(string name, int type, params object[] sizes) => _graph.Message(11, ValueInfo(name, type, sizes));

    /// <summary>A graph output.</summary>
    public void Output(string name, int type, params object[] sizes) => _graph.Message(12, ValueInfo(name, type, sizes));

    /// <summary>A constant tensor, kept as float32 or float16.</summary>
    public void Constant(string name, int type, float[] values, params long[] sizes)
    {
        var bytes = type == F32 ? MemoryMarshal.AsBytes<float>(values) : MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, v => (Half)v));
        Tensor(name, type, bytes, sizes);
    }

    /// <summary>A constant tensor of whole numbers.</summary>
    public void Constant(string name, long[] values, params long[] sizes) => Tensor(name, I64, MemoryMarshal.AsBytes<long>(values), sizes);

    /// <summary>A node with one output that counts; returns its name.</summary>
    public string Node(string type, string[] inputs, string? output = null, params (string Name, object Value)[] attributes) =>
        Nodes(type, inputs, [output ?? $"n{_nodes}"], attributes)[0];

    /// <summary>A node.</summary>
    public string[] Nodes(string type, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes)
    {
        var node = new ProtobufWriter();
        foreach (var input in inputs) node.Text(1, input);
        foreach (var output in outputs) node.Text(2, output);
        node.Text(3, $"{type}{_nodes++}").Text(4, type);
        foreach (var (name, value) in attributes) node.Message(5, Attribute(name, value));
        if (type is "GroupQueryAttention") node.Text(7, Contrib);
        _graph.Message(1, node);
        return outputs;
    }

    /// <summary>The model's file.</summary>
    public byte[] File() => new ProtobufWriter()
        .Whole(1, 8)
        .Text(2, "silo")
        .Message(7, _graph.Text(2, "main"))
        .Message(8, new ProtobufWriter().Text(1, "").Whole(2, 18))
        .Message(8, new ProtobufWriter().Text(1, Contrib).Whole(2, 1))
        .ToArray();

    private void Tensor(string name, int type, ReadOnlySpan<byte> bytes, long[] sizes)
    {
        var tensor = new ProtobufWriter();
        foreach (var size in sizes) tensor.Whole(1, size);
        _graph.Message(5, tensor.Whole(2, type).Text(8, name).Bytes(9, bytes));
    }

    private static ProtobufWriter ValueInfo(string name, int type, object[] sizes)
    {
        var shape = new ProtobufWriter();
        foreach (var size in sizes)
            shape.Message(1, size is string open ? new ProtobufWriter().Text(2, open) : new ProtobufWriter().Whole(1, Convert.ToInt64(size)));
        var tensor = new ProtobufWriter().Whole(1, type).Message(2, shape);
        return new ProtobufWriter().Text(1, name).Message(2, new ProtobufWriter().Message(1, tensor));
    }

    private static ProtobufWriter Attribute(string name, object value)
    {
        var attribute = new ProtobufWriter().Text(1, name);
        return value switch
        {
            float real => attribute.Real(2, real).Whole(20, 1),
            int whole => attribute.Whole(3, whole).Whole(20, 2),
            _ => throw new ArgumentException("no such attribute", nameof(value)),
        };
    }
}
