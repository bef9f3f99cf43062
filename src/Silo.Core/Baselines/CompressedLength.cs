using System.IO.Compression;
using System.Text;

namespace Silo.Core.Baselines;

/// <summary>
/// How far a text can be compressed: the share of its bytes that deflate leaves. Low values mean repetition. Undefined
/// (null) for an empty text.
/// </summary>
/// <param name="Utf8">UTF-8 bytes of the text.</param>
/// <param name="RawDeflate">Bytes of raw deflate (RFC 1951) at the highest level; of nothing, 2.</param>
public readonly record struct CompressedLength(int Utf8, int RawDeflate)
{
    // RFC 1952: a gzip member without a name has a header of 10 bytes and a trailer of 8.
    private const int GzipFrame = 18;

    /// <summary>Bytes of gzip without a file name.</summary>
    public int Gzip => RawDeflate + GzipFrame;

    /// <summary>Gzip bytes over UTF-8 bytes; above 1 for short texts.</summary>
    public double? GzipRatio => Utf8 == 0 ? null : (double)Gzip / Utf8;

    /// <summary>Raw deflate bytes over UTF-8 bytes: the same without the frame's 18 bytes, which tell the length.</summary>
    public double? RawDeflateRatio => Utf8 == 0 ? null : (double)RawDeflate / Utf8;

    /// <summary>Compresses a text. A surrogate without its partner is compressed as U+FFFD.</summary>
    /// <remarks>The runtime's deflate may differ by a few bytes from zlib's.</remarks>
    public static CompressedLength Of(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        // The runtime writes nothing at all for nothing; an empty final block takes 10 bits.
        if (bytes.Length == 0) return new(0, 2);
        using var counter = new CountingStream();
        using (var deflate = new DeflateStream(counter, CompressionLevel.SmallestSize, leaveOpen: true)) deflate.Write(bytes);
        return new(bytes.Length, counter.Written);
    }

    private sealed class CountingStream : Stream
    {
        public int Written { get; private set; }

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(byte[] buffer, int offset, int count) => Written += count;
        public override void Write(ReadOnlySpan<byte> buffer) => Written += buffer.Length;
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
