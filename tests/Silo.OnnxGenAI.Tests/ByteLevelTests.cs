using System.Text.RegularExpressions;
using Silo.ModelMaker;

namespace Silo.OnnxGenAI.Tests;

/// <summary>Vocabularies like Llama 3's: the runtime cuts and merges, Silo knows the bytes.</summary>
public sealed class ByteLevelTests
{
    private const string Template =
        "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n{{ m['content'] }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}";

    private static readonly string[] s_texts =
    [
        "the", "The old man was in the tower, and he was singing.", "  two  spaces ", "line\n\nline\n", "1234567 and 12 or 123", "she's what we're at; DON'T", "na\u00EFve caf\u00E9 \u4E2D\u6587 \U0001F600",
        "tabs\tand\r\nreturns", "(brackets) [and] {more} -- \u2014", "",
    ];

    [Fact]
    public void Ids_are_those_of_the_pattern_and_the_merges()
    {
        using var model = Folders.Open(Folders.Random("bytes", options: new FolderOptions { ByteLevel = true }).Folder);
        var tokenizer = model.Tokenizer;
        foreach (var text in s_texts)
        {
            var expected = Reference(text);
            Assert.Equal(expected, tokenizer.EncodeContinuation(text));
            Assert.Equal([ByteLevelVocabulary.Id(ByteLevelVocabulary.Begin), .. expected], tokenizer.Encode(text));
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
            Assert.Equal(text, tokenizer.DecodeContinuation(expected));
        }
    }

    [Fact]
    public void A_tokens_bytes_may_be_part_of_a_character()
    {
        using var model = Folders.Open(Folders.Random("bytes", options: new FolderOptions { ByteLevel = true }).Folder);
        for (var b = 0; b < 256; b++) Assert.Equal([(byte)b], model.Tokenizer.Bytes(ByteLevelVocabulary.Id(ByteLevelVocabulary.CharacterOf((byte)b).ToString())));
        Assert.Equal(" the"u8, model.Tokenizer.Bytes(ByteLevelVocabulary.Id("\u0120the")));
        Assert.Equal([], model.Tokenizer.Bytes(ByteLevelVocabulary.Id(ByteLevelVocabulary.EndOfTurn)));
    }

    [Fact]
    public void A_prompt_stands_in_a_template_of_special_tokens()
    {
        using var model = Folders.Open(Folders.Random("bytes-chat", options: new FolderOptions { ByteLevel = true, ChatTemplate = Template }).Folder);
        static int Id(string token) => ByteLevelVocabulary.Id(token);
        Assert.Equal(
            [
                Id(ByteLevelVocabulary.Begin), Id(ByteLevelVocabulary.StartHeader), .. Reference("user"), Id(ByteLevelVocabulary.EndHeader), .. Reference("\n\nWrite a \"story\"."), Id(ByteLevelVocabulary.EndOfTurn),
                Id(ByteLevelVocabulary.StartHeader), .. Reference("assistant"), Id(ByteLevelVocabulary.EndHeader), .. Reference("\n\n"),
            ],
            model.Tokenizer.EncodePrompt("Write a \"story\"."));
    }

    [Fact]
    public void Many_threads_get_the_same_ids()
    {
        using var model = Folders.Open(Folders.Random("bytes", options: new FolderOptions { ByteLevel = true }).Folder);
        var expected = s_texts.Select(Reference).ToArray();
        Parallel.For(0, 2000, i => Assert.Equal(expected[i % s_texts.Length], model.Tokenizer.EncodeContinuation(s_texts[i % s_texts.Length])));
    }

    /// <summary>
    /// Byte-pair encoding as it is defined: of all neighbours the pair of the earliest merge, the leftmost first; but a part that is a token is taken
    /// whole, as ignore_merges asks.
    /// </summary>
    private static int[] Reference(string text)
    {
        var ids = new List<int>();
        foreach (Match part in Regex.Matches(text, ByteLevelVocabulary.Pattern))
        {
            var symbols = ByteLevelVocabulary.Characters(part.Value).Select(c => c.ToString()).ToList();
            if (ByteLevelVocabulary.Has(string.Concat(symbols))) symbols = [string.Concat(symbols)];
            while (true)
            {
                var best = Enumerable.Range(0, Math.Max(0, symbols.Count - 1)).Select(i => (Rank: RankOf(symbols[i], symbols[i + 1]), Index: i)).Where(m => m.Rank >= 0).OrderBy(m => m.Rank).ThenBy(m => m.Index).FirstOrDefault((Rank: -1, Index: -1));
                if (best.Rank < 0) break;
                symbols[best.Index] += symbols[best.Index + 1];
                symbols.RemoveAt(best.Index + 1);
            }
            ids.AddRange(symbols.Select(ByteLevelVocabulary.Id));
        }
        return [.. ids];
    }

    private static int RankOf(string left, string right)
    {
        for (var rank = 0; rank < ByteLevelVocabulary.Merges.Count; rank++)
            if (ByteLevelVocabulary.Merges[rank] == (left, right)) return rank;
        return -1;
    }
}
