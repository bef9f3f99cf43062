using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Silo.Core.Baselines;

namespace Silo.Core.Tests.Baselines;

public class CompressedLengthTests
{
    /// <summary>Compares with zlib's lengths, within max(4 bytes, 3 %), and the arithmetic of the stored ones exactly.</summary>
    internal static void Check(JsonElement expected, string text)
    {
        var actual = CompressedLength.Of(text);
        int deflate = expected.Whole("raw_deflate_len");
        Assert.Equal(expected.Whole("utf8_len"), actual.Utf8);
        Assert.InRange(Math.Abs(actual.RawDeflate - deflate), 0, Math.Max(4, 0.03 * deflate));
        var stored = new CompressedLength(actual.Utf8, deflate);
        Assert.Equal(expected.Whole("gzip_len"), stored.Gzip);
        Golden.Close(expected.Number("gzip_ratio"), stored.GzipRatio, "gzip_ratio");
        Golden.Close(expected.Number("raw_deflate_ratio"), stored.RawDeflateRatio, "raw_deflate_ratio");
    }

    [Fact]
    public void Golden_texts()
    {
        foreach (var set in Golden.Load("texts.json").Items("sets"))
            foreach (var (text, expected) in set.Items("texts").Zip(set.Items("per_text")))
                Check(expected, text.GetString()!);
    }

    [Fact]
    public void Gzip_is_what_the_runtime_writes()
    {
        string text = string.Concat(Enumerable.Range(0, 500).Select(i => $"word{i % 37} "));
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.SmallestSize, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(text));
        Assert.Equal(stream.Length, CompressedLength.Of(text).Gzip);
    }

    [Fact]
    public void Nothing_has_no_ratio()
    {
        var empty = CompressedLength.Of("");
        Assert.Equal((0, 2, 20), (empty.Utf8, empty.RawDeflate, empty.Gzip));
        Assert.Null(empty.GzipRatio);
    }

    [Fact]
    public void LAMP_texts_are_compressed_within_one_percent()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Shared.Path("data/lamp_rankings_200x3x3.json")));
        var expected = Golden.Load("lamp_expected.json");
        var kinds = expected.Items("kinds_order").Select(k => k.GetString()!).ToArray();
        foreach (var (prompt, golden) in document.RootElement.EnumerateArray().Zip(expected.Items("prompts")))
            foreach (var (kind, text) in kinds.Zip(golden.Items("texts")))
                Assert.Equal(text.Number("gzip_ratio")!.Value, CompressedLength.Of(prompt.GetProperty("texts").Text(kind)).GzipRatio!.Value, 0.01);
    }
}
