using System.Text;
using Silo.Core;
using Silo.Models.Gguf;

namespace Silo.Models.Tests.Gguf;

public sealed class GgufFileTests
{
    [Fact]
    public void The_golden_file_is_read()
    {
        using var gguf = GgufFile.Open(Shared.Path("models/stories260k/stories260K-q8_0.gguf"));
        Assert.Equal(3, gguf.Version);
        Assert.Equal(47, gguf.Tensors.Count);
        Assert.Equal("llama", gguf.Metadata.Text("general.architecture"));
        Assert.Equal(260_032, gguf.Tensors.Values.Sum(t => t.Count));
        Assert.Equal(GgufTensorType.F16, gguf.Tensors["blk.0.ffn_down.weight"].Type);
    }

    [Theory]
    [InlineData("", "the file is empty")]
    [InlineData("Once upon a time", "byte 0: not a GGUF file: it begins with \"Once\" instead of \"GGUF\"")]
    [InlineData("GG", "byte 0: not a GGUF file")]
    [InlineData("GGUF", "byte 4: truncated: 4 bytes wanted for the version")]
    [InlineData("GGUF\u0001\0\0\0", "byte 4: GGUF version 1 is not supported")]
    [InlineData("GGUF\0\0\0\u0003", "byte 4: a big-endian GGUF file")]
    [InlineData("GGUF\u0003\0\0\0\0\0\0\0\0\0\0\u0080", "byte 8: the number of tensors is 9223372036854775808, impossible in a file of 16 bytes")]
    [InlineData("GGUF\u0003\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\u0080", "byte 16: the number of metadata keys is 9223372036854775808, impossible in a file of 24 bytes")]
    public void A_file_that_is_no_GGUF_is_refused(string content, string cause) => Refused(Encoding.Latin1.GetBytes(content), cause);

    [Fact]
    public void A_file_that_does_not_exist_is_named()
    {
        var e = Assert.Throws<SiloException>(() => GgufFile.Open("absent.gguf"));
        Assert.Equal("absent.gguf: no such file", e.Message);
        Assert.Throws<SiloException>(() => GgufFile.Open(Path.GetTempPath()));
    }

    [Theory]
    [InlineData("a tensor twice", "the tensor \"b\" occurs twice")]
    [InlineData("a key twice", "the metadata key \"general.name\" occurs twice")]
    [InlineData("offset outside", "tensor \"b\" has offset 9223372036854775808, outside the file")]
    [InlineData("offset crooked", "tensor \"b\" has offset 33, no multiple of the alignment 32")]
    [InlineData("ends outside", "tensor \"b\" (F32, 8 x 2) ends at byte")]
    [InlineData("overlap", "tensors \"a\" and \"b\" overlap")]
    [InlineData("huge dimension", "tensor \"b\" has a dimension of 9223372036854775808, impossible")]
    [InlineData("no dimension", "tensor \"b\" has 0 dimensions, not 1 to 4")]
    [InlineData("Q4_K", "tensor \"b\" has type Q4_K, which is not supported (F32, F16, BF16 and Q8_0 are)")]
    [InlineData("Q8_0 of 8", "tensor \"b\" is Q8_0 with rows of 8, no multiple of 32")]
    [InlineData("alignment 3", "metadata: general.alignment is 3, not a power of two")]
    [InlineData("array of arrays", "is an array of arrays")]
    [InlineData("array too long", "the number of elements of \"x\" is 4611686018427387904, impossible")]
    [InlineData("string too long", "has 9223372036854775807 bytes, but only")]
    [InlineData("flag of 7", "is a truth value of 7")]
    [InlineData("unknown type", "has the unknown value type 99")]
    public void A_fault_is_named_with_its_place(string fault, string cause)
    {
        var writer = new GgufWriter();
        writer.Key("general.name", "test");
        switch (fault)
        {
            case "a key twice": writer.Key("general.name", "test"); break;
            case "alignment 3": writer.Key("general.alignment", 3u); break;
            case "array of arrays": writer.Raw("x", 9, w => { w.Write(9u); w.Write(1UL); w.Write(4u); w.Write(0UL); }); break;
            case "array too long": writer.Raw("x", 9, w => { w.Write(8u); w.Write(1UL << 62); }); break;
            case "string too long": writer.Raw("x", 8, w => w.Write((ulong)long.MaxValue)); break;
            case "flag of 7": writer.Raw("x", 7, w => w.Write((byte)7)); break;
            case "unknown type": writer.Raw("x", 99, w => w.Write(0)); break;
        }
        writer.Tensor("a", [8, 2], 0, 0);
        if (fault == "a tensor twice") writer.Tensor("b", [8, 2], 0, 64);
        writer.Tensor("b", fault switch { "huge dimension" => [1UL << 63], "no dimension" => [], _ => [8, 2] },
            fault switch { "Q4_K" => 12u, "Q8_0 of 8" => 8u, _ => 0u },
            fault switch { "offset outside" => 1UL << 63, "offset crooked" => 33, "ends outside" => 96, "overlap" => 32, "a tensor twice" => 0, _ => 64 });
        Refused(writer.File(128), cause);
    }

    private static void Refused(byte[] content, string cause)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, content);
            var e = Assert.Throws<SiloException>(() => GgufFile.Open(path).Dispose());
            Assert.StartsWith(path + ": ", e.Message);
            Assert.Contains(cause, e.Message);
            Assert.DoesNotContain('\n', e.Message);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
