using System.Text;

namespace Silo.Models;

/// <summary>Turns a growing sequence of tokens into text: bytes of a character that is not yet whole are held back.</summary>
public sealed class StreamingDecoder(ITokenizer tokenizer)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>The text that this token completes; empty where it ends within a character.</summary>
    public string Append(int token) => Convert(tokenizer.Bytes(token), flush: false);

    /// <summary>What is left at the end: U+FFFD for an incomplete character, else empty.</summary>
    public string Finish() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> buffer = stackalloc char[256];
        if (bytes.Length > buffer.Length - 4) buffer = new char[bytes.Length + 4];
        return new string(buffer[.._decoder.GetChars(bytes, buffer, flush)]);
    }
}
