using Silo.Models.OnnxGenAI.Native;

namespace Silo.Models.OnnxGenAI;

/// <summary>Reads the runtime's tensors, which lie in the host's memory.</summary>
internal static unsafe class Tensors
{
    public static void* Data(OgaTensor tensor)
    {
        Oga.Check(Oga.TensorGetData(tensor, out var data));
        return data;
    }

    public static long Count(OgaTensor tensor)
    {
        Oga.Check(Oga.TensorGetShapeRank(tensor, out var rank));
        var sizes = stackalloc long[(int)rank];
        Oga.Check(Oga.TensorGetShape(tensor, sizes, rank));
        var count = 1L;
        for (var i = 0; i < (int)rank; i++) count *= sizes[i];
        return count;
    }

    /// <summary>Copies values from an index on, as float32.</summary>
    public static void CopyFloats(OgaTensor tensor, long from, Span<float> to)
    {
        if (from + to.Length > Count(tensor)) throw new OgaException($"a tensor of {Count(tensor)} values where {from + to.Length} were expected");
        Oga.Check(Oga.TensorGetType(tensor, out var type));
        var data = Data(tensor);
        switch (type)
        {
            case Oga.Float32: new ReadOnlySpan<float>((float*)data + from, to.Length).CopyTo(to); break;
            case Oga.Float16:
                for (var i = 0; i < to.Length; i++) to[i] = (float)((Half*)data)[from + i];
                break;
            case Oga.BFloat16:
                for (var i = 0; i < to.Length; i++) to[i] = BitConverter.UInt32BitsToSingle((uint)((ushort*)data)[from + i] << 16);
                break;
            default: throw new OgaException($"an output of element type {type}, which is no float");
        }
    }
}
