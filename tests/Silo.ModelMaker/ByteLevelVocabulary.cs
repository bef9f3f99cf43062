using System.Text;
using System.Text.Json.Nodes;

namespace Silo.ModelMaker;

/// <summary>
/// A small vocabulary of GPT-2's kind: a token per byte, some merges, special tokens like those of Llama 3. Texts are cut by Llama 3's pattern before they are merged.
/// </summary>
internal static class ByteLevelVocabulary
{
    public const string Begin = "<|begin_of_text|>", End = "<|end_of_text|>", StartHeader = "<|start_header_id|>", EndHeader = "<|end_header_id|>", EndOfTurn = "<|eot_id|>";

    /// <summary>Llama 3's pattern.</summary>
    public const string Pattern = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    // Ġ is the space, Ċ the line feed.
    private static readonly string[] s_merges = ("Ġ t|h e|Ġt he|i n|e r|a n|Ġ a|o n|r e|Ġ w|Ġa n|Ġan d|in g|l l|Ġ s|o u|Ġ o|Ġo f|e n|Ġ b|n d|i t|Ġ h|Ġh e|Ġw a|Ġwa s|Ċ Ċ|' s|1 2|12 3|Ġ Ġ|Ã ©").Split('|');

    private static readonly string[] s_special = [Begin, End, StartHeader, EndHeader, EndOfTurn];

    /// <summary>The merges, the first before the second.</summary>
    public static IReadOnlyList<(string Left, string Right)> Merges { get; } = [.. s_merges.Select(merge => (merge.Split(' ')[0], merge.Split(' ')[1]))];

    private static readonly Dictionary<string, int> s_ids = Enumerable.Range(0, 256).Select(b => CharacterOf((byte)b).ToString()).Concat(Merges.Select(m => m.Left + m.Right)).Concat(s_special)
        .Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id);

    public static int Id(string token) => s_ids[token];

    public static bool Has(string token) => s_ids.ContainsKey(token);

    /// <summary>The character that stands for a byte.</summary>
    public static char CharacterOf(byte value)
    {
        static bool Stands(int b) => b is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
        return Stands(value) ? (char)value : (char)(256 + Enumerable.Range(0, value).Count(b => !Stands(b)));
    }

    /// <summary>The characters that stand for a text's bytes.</summary>
    public static string Characters(string text) => string.Concat(Encoding.UTF8.GetBytes(text).Select(CharacterOf));

    public static void Write(string folder, string? chatTemplate)
    {
        GenAIFolder.Write(folder, "tokenizer.json", new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray([.. s_special.Select(token => (JsonNode)new JsonObject
            {
                ["id"] = Id(token),
                ["content"] = token,
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = true,
            })]),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["pretokenizers"] = new JsonArray(
                    new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = Pattern }, ["behavior"] = "Isolated", ["invert"] = false },
                    new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false }),
            },
            ["post_processor"] = null,
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true, ["use_regex"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = true,
                ["vocab"] = new JsonObject(s_ids.Where(pair => !s_special.Contains(pair.Key)).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
                ["merges"] = new JsonArray([.. s_merges.Select(merge => (JsonNode)merge)]),
            },
        });
        var config = new JsonObject { ["tokenizer_class"] = "PreTrainedTokenizerFast", ["bos_token"] = Begin, ["eos_token"] = End, ["model_max_length"] = 131072 };
        if (chatTemplate is not null) config["chat_template"] = chatTemplate;
        GenAIFolder.Write(folder, "tokenizer_config.json", config);
    }
}
