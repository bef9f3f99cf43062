using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Silo.Core;

namespace Silo.Models.Gguf.Llama;

/// <summary>
/// A weight matrix (one tensor, or several with the same inputs stacked) in panels of 32 outputs: of each panel the weights of the first
/// input for all its outputs, then of the second, and so on. Values stay in the file's format and are widened to float32 (exactly)
/// a tile at a time, so that a matrix takes the memory that it takes in the file.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    /// <summary>Outputs in a panel.</summary>
    public const int Width = 32;

    /// <summary>Inputs in a tile: a tile of float32 takes 16 KiB, half of a first-level cache.</summary>
    public const int TileDepth = 128;

    private const int ScaleBytes = Width * sizeof(ushort);
    private const int BlockBytes = ScaleBytes + GgufTensorTypes.BlockLength * Width;

    private readonly NativeBuffer _data;
    private readonly long _panelBytes;

    private PackedMatrix(GgufTensorType type, int inputs, int outputs)
    {
        (Type, Inputs, Outputs) = (type, inputs, outputs);
        _panelBytes = PanelBytes(type, inputs);
        _data = new NativeBuffer(_panelBytes * Panels, clear: false);
    }

    public GgufTensorType Type { get; }

    public int Inputs { get; }

    public int Outputs { get; }

    public int Panels => (Outputs + Width - 1) / Width;

    /// <summary>Floats between rows of results: whole panels, and rows apart.</summary>
    public int Stride => Apart(Panels * Width);

    /// <summary>
    /// Floats between rows of at least <paramref name="length"/>: an odd number of cache lines, so that the same column of many rows does not fall into the
    /// same few places of the cache.
    /// </summary>
    public static int Apart(int length) => ((length + 15) / 16 | 1) * 16;

    /// <summary>Bytes that the tensors will take when packed.</summary>
    public static long BytesOf(params ReadOnlySpan<GgufTensor> tensors)
    {
        var outputs = 0L;
        foreach (var tensor in tensors) outputs += tensor.Rows;
        return PanelBytes(CommonType(tensors), tensors[0].Columns) * ((outputs + Width - 1) / Width);
    }

    /// <exception cref="SiloException">A value is infinite or NaN.</exception>
    public static PackedMatrix Pack(GgufFile file, int threads, params GgufTensor[] tensors)
    {
        var type = CommonType(tensors);
        var matrix = new PackedMatrix(type, checked((int)tensors[0].Columns), checked((int)tensors.Sum(t => t.Rows)));
        try
        {
            Parallel.For(0, matrix.Panels, new ParallelOptions { MaxDegreeOfParallelism = threads }, panel => matrix.PackPanel(file, tensors, panel));
        }
        catch (AggregateException e) when (e.InnerException is SiloException fault)
        {
            matrix.Dispose();
            throw fault;
        }
        return matrix;
    }

    /// <summary>
    /// The weights of a panel for inputs from..to (a multiple of 32 where the format has blocks), float32, [input][32 outputs]: where they lie, or
    /// widened into <paramref name="scratch"/> (at least <see cref="TileDepth"/> x 32 floats).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public float* Tile(int panel, int from, int to, float* scratch)
    {
        var start = _data.Pointer + panel * _panelBytes;
        switch (Type)
        {
            case GgufTensorType.F32:
                return (float*)start + (long)from * Width;
            case GgufTensorType.F16:
                for (long i = (long)from * Width, n = (long)to * Width, j = 0; i < n; i += 8, j += 8) Half8((ushort*)start + i).Store(scratch + j);
                return scratch;
            case GgufTensorType.BF16:
                for (long i = (long)from * Width, n = (long)to * Width, j = 0; i < n; i += 8, j += 8) Brain8((ushort*)start + i).Store(scratch + j);
                return scratch;
            default:
                for (int block = from / GgufTensorTypes.BlockLength, n = to / GgufTensorTypes.BlockLength, j = 0; block < n; block++, j += GgufTensorTypes.BlockLength * Width)
                    WidenBlock(start + (long)block * BlockBytes, scratch + j);
                return scratch;
        }
    }

    /// <summary>The weights of one output (a row of the tensor in the file).</summary>
    public void Row(int output, Span<float> to)
    {
        var panel = _data.Pointer + output / Width * _panelBytes;
        var lane = output % Width;
        if (Type == GgufTensorType.F32)
        {
            var from = (float*)panel + lane;
            for (var k = 0; k < Inputs; k++) to[k] = from[k * (nint)Width];
            return;
        }
        for (var k = 0; k < Inputs; k++) to[k] = Type switch
        {
            GgufTensorType.F16 => (float)((Half*)panel)[k * Width + lane],
            GgufTensorType.BF16 => BitConverter.Int32BitsToSingle(((ushort*)panel)[k * Width + lane] << 16),
            _ => Quantised(panel + k / GgufTensorTypes.BlockLength * BlockBytes, k % GgufTensorTypes.BlockLength, lane),
        };
    }

    public void Dispose() => _data.Dispose();

    private static long PanelBytes(GgufTensorType type, long inputs) => type switch
    {
        GgufTensorType.F32 => inputs * Width * sizeof(float),
        GgufTensorType.Q8_0 => inputs / GgufTensorTypes.BlockLength * BlockBytes,
        _ => inputs * Width * sizeof(ushort),
    };

    // Widening is exact, so a mixture may be kept as float32: only the memory differs.
    private static GgufTensorType CommonType(ReadOnlySpan<GgufTensor> tensors)
    {
        foreach (var tensor in tensors)
            if (tensor.Type != tensors[0].Type) return GgufTensorType.F32;
        return tensors[0].Type;
    }

    private void PackPanel(GgufFile file, GgufTensor[] tensors, int panel)
    {
        var start = _data.Pointer + panel * _panelBytes;
        if ((panel + 1) * Width > Outputs) NativeMemory.Clear(start, (nuint)_panelBytes);
        for (var lane = 0; lane < Width && panel * Width + lane < Outputs; lane++)
        {
            var (tensor, row) = Source(tensors, panel * Width + lane);
            var from = file.Data(tensor) + row * GgufTensorTypes.RowBytes(tensor.Type, tensor.Columns);
            if (Type == GgufTensorType.Q8_0) PackBlocks(file, tensor, from, start, lane);
            else if (Type == GgufTensorType.F32) PackWide(file, tensor, from, (float*)start + lane);
            else PackHalves(file, tensor, (ushort*)from, (ushort*)start + lane);
        }
    }

    private static (GgufTensor Tensor, int Row) Source(GgufTensor[] tensors, int output)
    {
        var i = 0;
        for (; output >= tensors[i].Rows; i++) output -= (int)tensors[i].Rows;
        return (tensors[i], output);
    }

    private void PackWide(GgufFile file, GgufTensor tensor, byte* from, float* to)
    {
        for (var k = 0; k < Inputs; k++)
        {
            var value = Value(tensor.Type, from, k);
            if (!float.IsFinite(value)) throw NotFinite(file, tensor);
            to[k * (long)Width] = value;
        }
    }

    private void PackHalves(GgufFile file, GgufTensor tensor, ushort* from, ushort* to)
    {
        var exponent = tensor.Type == GgufTensorType.F16 ? 0x7C00 : 0x7F80;
        for (var k = 0; k < Inputs; k++)
        {
            if ((from[k] & exponent) == exponent) throw NotFinite(file, tensor);
            to[k * (long)Width] = from[k];
        }
    }

    private void PackBlocks(GgufFile file, GgufTensor tensor, byte* from, byte* panel, int lane)
    {
        for (var block = 0; block < Inputs / GgufTensorTypes.BlockLength; block++)
        {
            var scale = Unsafe.ReadUnaligned<ushort>(from);
            if ((scale & 0x7C00) == 0x7C00) throw NotFinite(file, tensor);
            ((ushort*)panel)[lane] = scale;
            for (var k = 0; k < GgufTensorTypes.BlockLength; k++) panel[ScaleBytes + k * Width + lane] = from[2 + k];
            from += GgufTensorTypes.BlockBytes;
            panel += BlockBytes;
        }
    }

    /// <summary>The k-th value of a row as it lies in the file.</summary>
    internal static float Value(GgufTensorType type, byte* row, long k) => type switch
    {
        GgufTensorType.F32 => Unsafe.ReadUnaligned<float>(row + 4 * k),
        GgufTensorType.F16 => (float)Unsafe.ReadUnaligned<Half>(row + 2 * k),
        GgufTensorType.BF16 => BitConverter.Int32BitsToSingle(Unsafe.ReadUnaligned<ushort>(row + 2 * k) << 16),
        _ => (float)Unsafe.ReadUnaligned<Half>(row + k / 32 * 34) * (sbyte)row[k / 32 * 34 + 2 + k % 32],
    };

    private static float Quantised(byte* block, int k, int lane) => (float)((Half*)block)[lane] * ((sbyte*)block + ScaleBytes)[k * Width + lane];

    private static SiloException NotFinite(GgufFile file, GgufTensor tensor) =>
        new($"{file.Path}: tensor \"{tensor.Name}\" has a value that is infinite or NaN");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WidenBlock(byte* block, float* to)
    {
        var (s0, s1, s2, s3) = (Half8((ushort*)block), Half8((ushort*)block + 8), Half8((ushort*)block + 16), Half8((ushort*)block + 24));
        var quants = (sbyte*)block + ScaleBytes;
        for (var k = 0; k < GgufTensorTypes.BlockLength; k++, quants += Width, to += Width)
        {
            (Byte8(quants) * s0).Store(to);
            (Byte8(quants + 8) * s1).Store(to + 8);
            (Byte8(quants + 16) * s2).Store(to + 16);
            (Byte8(quants + 24) * s3).Store(to + 24);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Byte8(sbyte* at)
    {
        var words = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)at).AsSByte());
        return Vector256.ConvertToSingle(Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Word8(ushort* at)
    {
        var words = Vector128.Load(at);
        return Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Brain8(ushort* at) => (Word8(at) << 16).AsSingle();

    /// <summary>Finite float16 to float32: the exponent is moved; a subnormal is made normal by a subtraction, which is exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Half8(ushort* at)
    {
        var half = Word8(at);
        var sign = (half & Vector256.Create(0x8000)) << 16;
        var bits = ((half & Vector256.Create(0x7FFF)) << 13) + Vector256.Create(112 << 23);
        var subnormal = (bits + Vector256.Create(1 << 23)).AsSingle() - Vector256.Create(BitConverter.Int32BitsToSingle(113 << 23));
        var small = Vector256.Equals(half & Vector256.Create(0x7C00), Vector256<int>.Zero).AsSingle();
        return (Vector256.ConditionalSelect(small, subnormal, bits.AsSingle()).AsInt32() | sign).AsSingle();
    }
}
