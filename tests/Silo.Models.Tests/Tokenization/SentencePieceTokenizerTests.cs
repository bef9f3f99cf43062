using System.Text;
using System.Text.Json;
using FsCheck.Fluent;
using Silo.Models.Gguf;

namespace Silo.Models.Tests.Tokenization;

public sealed class SentencePieceTokenizerTests
{
    [Fact]
    public void All_golden_cases_encode_and_decode()
    {
        var tokenizer = Golden();
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Shared.Path("models/stories260k/golden-tokenizer.json")));
        var cases = golden.RootElement.GetProperty("cases").EnumerateArray().ToArray();
        Assert.Equal(60, cases.Length);
        foreach (var c in cases)
        {
            var text = c.GetProperty("text").GetString()!;
            var ids = c.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32()).ToArray();
            Assert.Equal(ids, tokenizer.Encode(text));
            Assert.Equal(ids, tokenizer.Encode(Convert.FromHexString(c.GetProperty("utf8_hex").GetString()!)));
            Assert.Equal(c.GetProperty("decoded").GetString(), tokenizer.Decode(ids));
        }
    }

    [Fact]
    public void Every_byte_string_survives()
    {
        var tokenizer = Golden();
        Check(ArbMap.Default.ArbFor<byte[]>(), bytes =>
        {
            var decoded = tokenizer.DecodeBytes(tokenizer.Encode(bytes));
            return bytes.Length == 0 ? decoded.Length == 0 : decoded.AsSpan(1).SequenceEqual(Spaced(bytes));
        });
    }

    [Fact]
    public void A_long_text_takes_no_quadratic_time_and_equals_the_plain_algorithm()
    {
        var tokenizer = Golden();
        var text = string.Concat(Enumerable.Range(0, 3000).Select(i => i % 7 == 0 ? "aaaa" : i % 3 == 0 ? " Once upon" : "zq\n"));
        Assert.Equal(PlainBpe(text), tokenizer.Encode(text));
        Assert.True(tokenizer.Encode(new string('a', 200_000)).Length > 1000);
    }

    private static SentencePieceTokenizer Golden()
    {
        using var gguf = GgufFile.Open(Shared.Path("models/stories260k/stories260K-f32.gguf"));
        return SentencePieceTokenizer.Read(gguf);
    }

    private static void Check<T>(FsCheck.Arbitrary<T> values, Func<T, bool> holds) =>
        FsCheck.Check.QuickThrowOnFailure(Prop.ForAll(values, holds));

    // U+2581 counts as a space.
    private static byte[] Spaced(byte[] bytes) =>
        Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(bytes).Replace("\u00E2\u0096\u0081", " "));

    /// <summary>The definition: over and over, merge the best-scored neighbours, the leftmost of equals.</summary>
    private static int[] PlainBpe(string text)
    {
        using var gguf = GgufFile.Open(Shared.Path("models/stories260k/stories260K-f32.gguf"));
        var tokens = gguf.Metadata.Texts("tokenizer.ggml.tokens");
        var scores = gguf.Metadata.Reals("tokenizer.ggml.scores");
        var ids = tokens.Select((t, i) => (t, i)).Skip(259).ToDictionary(x => x.t.Replace('\u2581', ' '), x => x.i);
        var symbols = (" " + text).Select(c => c.ToString()).ToList();
        while (true)
        {
            var best = -1;
            for (var i = 0; i + 1 < symbols.Count; i++)
                if (ids.TryGetValue(symbols[i] + symbols[i + 1], out var id) && (best < 0 || scores[id] > scores[ids[symbols[best] + symbols[best + 1]]])) best = i;
            if (best < 0) break;
            symbols[best] += symbols[best + 1];
            symbols.RemoveAt(best + 1);
        }
        return [1, .. symbols.Select(s => ids.TryGetValue(s, out var id) ? id : 3 + s[0])];
    }
}
