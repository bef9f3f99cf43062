using System.Text.Json.Nodes;
using Silo.Models.Gguf;

namespace Silo.ModelMaker;

/// <summary>
/// The SentencePiece vocabulary of a GGUF file as Hugging Face's tokenizer.json: byte-pair merges, the pair that makes the piece of the highest
/// score first, which is SentencePiece's own order.
/// </summary>
internal static class TokenizerFiles
{
    private const int Normal = 1, Control = 3, UserDefined = 4;

    public static void Write(GgufFile file, string folder, string? chatTemplate)
    {
        var tokens = file.Metadata.Texts("tokenizer.ggml.tokens");
        var scores = file.Metadata.Reals("tokenizer.ggml.scores");
        var types = file.Metadata.Wholes("tokenizer.ggml.token_type");
        string Token(string name) => tokens[file.Metadata.Whole($"tokenizer.ggml.{name}_token_id", 0, tokens.Length - 1)];
        // The vocabularies of our models write a space as ▁ already; a random one may not.
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < tokens.Length; id++) ids.TryAdd(types[id] is Normal or UserDefined ? tokens[id].Replace(' ', '▁') : tokens[id], id);

        var merges = new List<(float Score, int Id, string Left, string Right)>();
        foreach (var (piece, id) in ids)
        {
            if (types[id] != Normal) continue;
            for (var at = 1; at < piece.Length; at++)
                if (ids.ContainsKey(piece[..at]) && ids.ContainsKey(piece[at..])) merges.Add((scores[id], id, piece[..at], piece[at..]));
        }
        var ordered = merges.OrderByDescending(m => m.Score).ThenBy(m => m.Id).ThenBy(m => m.Left.Length).Select(m => (JsonNode)$"{m.Left} {m.Right}");
        var special = Enumerable.Range(0, tokens.Length).Where(id => types[id] is 2 or Control);
        GenAIFolder.Write(folder, "tokenizer.json", new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([.. special.Select(id => (JsonNode)new JsonObject
            {
                ["id"] = id, ["content"] = tokens[id], ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = true,
            })]),
            ["normalizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["normalizers"] = new JsonArray(
                    new JsonObject { ["type"] = "Prepend", ["prepend"] = "▁" },
                    new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = " " }, ["content"] = "▁" }),
            },
            ["pre_tokenizer"] = null,
            ["post_processor"] = null,
            ["decoder"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["decoders"] = new JsonArray(
                    new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = "▁" }, ["content"] = " " },
                    new JsonObject { ["type"] = "ByteFallback" },
                    new JsonObject { ["type"] = "Fuse" },
                    new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 }),
            },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = Token("unknown"),
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = true,
                ["byte_fallback"] = true,
                ["vocab"] = new JsonObject(ids.OrderBy(pair => pair.Value).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
                ["merges"] = new JsonArray([.. ordered]),
            },
        });
        var config = new JsonObject
        {
            ["tokenizer_class"] = "LlamaTokenizer",
            ["bos_token"] = Token("bos"),
            ["eos_token"] = Token("eos"),
            ["unk_token"] = Token("unknown"),
            ["add_bos_token"] = true,
            ["add_eos_token"] = false,
        };
        if (chatTemplate is not null) config["chat_template"] = chatTemplate;
        GenAIFolder.Write(folder, "tokenizer_config.json", config);
    }
}
