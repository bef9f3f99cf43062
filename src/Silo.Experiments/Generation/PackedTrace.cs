using System.Buffers.Binary;
using System.IO.Compression;
using Silo.Core.Features;
using Silo.Core.Numerics;
using Silo.Experiments.Spec;

namespace Silo.Experiments.Generation;

/// <summary>
/// A token trace in about 100 bytes a token and temperature: columns instead of rows, whole numbers as varints, reals
/// as float32 with their bytes apart, captured columns as the difference to what the full ones predict, all of it in Brotli.
/// </summary>
/// <remarks>
/// Lost is: reals are rounded to float32; what follows from other columns is computed from them when unpacked
/// (<c>n95_q</c>, <c>retained</c> = 1 - <c>leak</c>, <c>entropy_shift</c>, <c>outside_x</c>), so these carry the
/// rounding of their sources. Whole numbers are exact.
/// </remarks>
public static class PackedTrace
{
    private const byte Version = 1;
    private const int Quality = 5;
    private const int Window = 22;

    // The columns of p alone, the same at every temperature, and those that depend on it; whole numbers first.
    private static readonly TokenFeature[] s_wholeOfP =
        [TokenFeature.WidthP50, TokenFeature.WidthP90, TokenFeature.WidthP95, TokenFeature.WidthP99, TokenFeature.RankX];
    private static readonly TokenFeature[] s_realOfP =
        [TokenFeature.EntropyP, TokenFeature.Top1P, TokenFeature.MarginP, TokenFeature.LogPX];
    private static readonly TokenFeature[] s_wholeOfQ =
        [TokenFeature.WidthQ50, TokenFeature.WidthQ90, TokenFeature.WidthQ95, TokenFeature.WidthQ99];
    private static readonly TokenFeature[] s_realOfQ =
    [
        TokenFeature.Leak, TokenFeature.PreOnPost, TokenFeature.EntropyQ, TokenFeature.KlQP, TokenFeature.KlPQ, TokenFeature.Js,
        TokenFeature.Tv, TokenFeature.Hellinger, TokenFeature.Top1Q, TokenFeature.MarginQ, TokenFeature.LogQX,
    ];
    private static readonly TokenFeature[] s_wholeOfCapture = [TokenFeature.CapturedSize, TokenFeature.Appended];

    /// <summary>Packs a trace.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="keep">What of it; nothing gives an empty array.</param>
    public static byte[] Pack(TokenTrace trace, TraceKeeping keep)
    {
        if (keep == TraceKeeping.None) return [];
        var temperatures = keep == TraceKeeping.Own ? 1 : trace.Temperatures.Length;
        var body = new MemoryStream();
        Span<byte> number = stackalloc byte[8];
        foreach (var temperature in trace.Temperatures.AsSpan(0, temperatures))
        {
            BinaryPrimitives.WriteDoubleLittleEndian(number, temperature);
            body.Write(number);
        }
        var cells = new Cells(trace);
        foreach (var (temperature, whole, feature, captured) in Columns(temperatures))
            if (whole) WriteWhole(body, cells, temperature, feature, captured);
            else WriteReal(body, cells, temperature, feature, captured);

        var plain = body.GetBuffer().AsSpan(0, (int)body.Length);
        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(plain.Length) + 16];
        packed[0] = Version;
        var at = 1;
        at += WriteVarint(packed.AsSpan(at), (uint)trace.Steps);
        at += WriteVarint(packed.AsSpan(at), (uint)temperatures);
        at += WriteVarint(packed.AsSpan(at), (uint)plain.Length);
        if (!BrotliEncoder.TryCompress(plain, packed.AsSpan(at), out var written, Quality, Window))
            throw new InvalidOperationException("the compressed trace does not fit its bound");
        return packed[..(at + written)];
    }

    /// <summary>Unpacks a trace.</summary>
    /// <exception cref="InvalidDataException">The bytes are no packed trace of this version.</exception>
    public static TokenTrace Unpack(ReadOnlySpan<byte> packed)
    {
        if (packed.IsEmpty || packed[0] != Version) throw Broken();
        var at = 1;
        var steps = (int)ReadVarint(packed, ref at);
        var count = (int)ReadVarint(packed, ref at);
        var length = (int)ReadVarint(packed, ref at);
        // The least that this many rows need bounds what a damaged length can allocate.
        if (count is < 1 or > 10_000 || steps < 0 || length < 0 || length < 8L * count || length > (1L << 30)
            || (long)steps * count * (s_realOfQ.Length * 8) > length) throw Broken();
        var plain = new byte[length];
        if (!BrotliDecoder.TryDecompress(packed[at..], plain, out var written) || written != length) throw Broken();

        var temperatures = new double[count];
        at = 0;
        for (var t = 0; t < count; t++, at += 8) temperatures[t] = BinaryPrimitives.ReadDoubleLittleEndian(plain.AsSpan(at));
        var trace = new TokenTrace(steps, temperatures,
            new double[steps * count * TokenFeatures.FullCount], new double[steps * count * TokenFeatures.CapturedCount]);
        var cells = new Cells(trace);
        foreach (var (temperature, whole, feature, captured) in Columns(count))
            if (whole) ReadWhole(plain, ref at, cells, temperature, feature, captured);
            else ReadReal(plain, ref at, cells, temperature, feature, captured);
        if (at != length) throw Broken();
        for (var step = 0; step < steps; step++)
            for (var temperature = 0; temperature < count; temperature++)
            {
                Derive(cells, step, temperature, captured: false);
                Derive(cells, step, temperature, captured: true);
            }
        return trace;
    }

    private static IEnumerable<(int Temperature, bool Whole, TokenFeature Feature, bool Captured)> Columns(int temperatures)
    {
        for (var temperature = 0; temperature < temperatures; temperature++)
            for (var captured = 0; captured < 2; captured++)
            {
                if (temperature == 0)
                {
                    if (captured == 1)
                    {
                        foreach (var feature in s_wholeOfCapture) yield return (0, true, feature, true);
                        yield return (0, false, TokenFeature.CapturedMass, true);
                    }
                    foreach (var feature in s_wholeOfP) yield return (0, true, feature, captured == 1);
                    foreach (var feature in s_realOfP) yield return (0, false, feature, captured == 1);
                }
                foreach (var feature in s_wholeOfQ) yield return (temperature, true, feature, captured == 1);
                foreach (var feature in s_realOfQ) yield return (temperature, false, feature, captured == 1);
            }
    }

    private static void Derive(Cells cells, int step, int temperature, bool captured)
    {
        double Of(TokenFeature feature, int t) => cells[step, t, feature, captured];
        void Set(TokenFeature feature, double value) => cells[step, temperature, feature, captured] = value;

        if (temperature > 0)
        {
            foreach (var feature in s_wholeOfP) Set(feature, Of(feature, 0));
            foreach (var feature in s_realOfP) Set(feature, Of(feature, 0));
            if (captured)
            {
                foreach (var feature in s_wholeOfCapture) Set(feature, Of(feature, 0));
                Set(TokenFeature.CapturedMass, Of(TokenFeature.CapturedMass, 0));
            }
        }
        Set(TokenFeature.N95Q, Of(TokenFeature.WidthQ95, temperature));
        Set(TokenFeature.Retained, 1 - Of(TokenFeature.Leak, temperature));
        Set(TokenFeature.EntropyShift, Of(TokenFeature.EntropyQ, temperature) - Of(TokenFeature.EntropyP, temperature));
        Set(TokenFeature.OutsideX, Of(TokenFeature.RankX, temperature) > Of(TokenFeature.WidthP90, temperature) ? 1 : 0);
    }

    private static bool HasFull(TokenFeature feature, bool captured) => captured && (int)feature < TokenFeatures.FullCount;

    private static void WriteWhole(MemoryStream body, Cells cells, int temperature, TokenFeature feature, bool captured)
    {
        Span<byte> varint = stackalloc byte[5];
        for (var step = 0; step < cells.Steps; step++)
        {
            var value = (int)cells[step, temperature, feature, captured];
            if (HasFull(feature, captured)) value -= (int)cells[step, temperature, feature, false];
            body.Write(varint[..WriteVarint(varint, (uint)((value << 1) ^ (value >> 31)))]);
        }
    }

    private static void ReadWhole(ReadOnlySpan<byte> plain, ref int at, Cells cells, int temperature, TokenFeature feature, bool captured)
    {
        for (var step = 0; step < cells.Steps; step++)
        {
            var zigzag = ReadVarint(plain, ref at);
            var value = (int)(zigzag >> 1) ^ -(int)(zigzag & 1);
            if (HasFull(feature, captured)) value += (int)cells[step, temperature, feature, false];
            cells[step, temperature, feature, captured] = value;
        }
    }

    private static void WriteReal(MemoryStream body, Cells cells, int temperature, TokenFeature feature, bool captured)
    {
        var planes = new byte[4 * cells.Steps];
        for (var step = 0; step < cells.Steps; step++)
        {
            var bits = Bits(cells[step, temperature, feature, captured]);
            if (HasFull(feature, captured))
            {
                var off = (int)(bits - Predicted(cells, step, temperature, feature));
                bits = (uint)((off << 1) ^ (off >> 31));
            }
            for (var plane = 0; plane < 4; plane++) planes[plane * cells.Steps + step] = (byte)(bits >> (8 * plane));
        }
        body.Write(planes);
    }

    private static void ReadReal(ReadOnlySpan<byte> plain, ref int at, Cells cells, int temperature, TokenFeature feature, bool captured)
    {
        if (plain.Length - at < 4 * cells.Steps) throw Broken();
        for (var step = 0; step < cells.Steps; step++)
        {
            var bits = 0u;
            for (var plane = 0; plane < 4; plane++) bits |= (uint)plain[at + plane * cells.Steps + step] << (8 * plane);
            if (HasFull(feature, captured))
                bits = ((bits >> 1) ^ (uint)-(int)(bits & 1)) + Predicted(cells, step, temperature, feature);
            cells[step, temperature, feature, captured] = BitConverter.UInt32BitsToSingle(bits);
        }
        at += 4 * cells.Steps;
    }

    /// <summary>
    /// Bits of what a captured value is likely to be: the probabilities of p are divided by the captured mass, those of q
    /// by a mass that the columns of the first token tell; for the rest, the full value. A miss costs bytes, no truth.
    /// </summary>
    private static uint Predicted(Cells cells, int step, int temperature, TokenFeature feature)
    {
        float Of(TokenFeature of, bool captured) => (float)cells[step, temperature, of, captured];

        var full = Of(feature, false);
        var predicted = feature switch
        {
            TokenFeature.Top1P or TokenFeature.MarginP => full / Of(TokenFeature.CapturedMass, true),
            TokenFeature.LogPX => (float)(full - DeterministicMath.Log(Of(TokenFeature.CapturedMass, true))),
            TokenFeature.MarginQ => (float)(full * ((double)Of(TokenFeature.Top1Q, true) / Of(TokenFeature.Top1Q, false))),
            TokenFeature.LogQX => (float)(full + DeterministicMath.Log((double)Of(TokenFeature.Top1Q, true) / Of(TokenFeature.Top1Q, false))),
            _ => full,
        };
        return BitConverter.SingleToUInt32Bits(float.IsFinite(predicted) ? predicted : full);
    }

    private static uint Bits(double value) => BitConverter.SingleToUInt32Bits((float)value);

    private static int WriteVarint(Span<byte> to, uint value)
    {
        var length = 0;
        for (; value >= 0x80; value >>= 7) to[length++] = (byte)(value | 0x80);
        to[length++] = (byte)value;
        return length;
    }

    private static uint ReadVarint(ReadOnlySpan<byte> from, ref int at)
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            if (at >= from.Length) throw Broken();
            var read = from[at++];
            value |= (uint)(read & 0x7F) << shift;
            if (read < 0x80) return value;
        }
        throw Broken();
    }

    private static InvalidDataException Broken() => new("the bytes are no packed trace");

    private readonly struct Cells(TokenTrace trace)
    {
        public int Steps => trace.Steps;

        public double this[int step, int temperature, TokenFeature feature, bool captured]
        {
            get => captured ? trace.Captured[Place(step, temperature, TokenFeatures.CapturedCount, feature)]
                : trace.Full[Place(step, temperature, TokenFeatures.FullCount, feature)];
            set
            {
                if (captured) trace.Captured[Place(step, temperature, TokenFeatures.CapturedCount, feature)] = value;
                else trace.Full[Place(step, temperature, TokenFeatures.FullCount, feature)] = value;
            }
        }

        private int Place(int step, int temperature, int columns, TokenFeature feature) =>
            (step * trace.Temperatures.Length + temperature) * columns + (int)feature;
    }
}
