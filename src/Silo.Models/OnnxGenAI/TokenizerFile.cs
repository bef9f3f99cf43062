using System.Globalization;
using System.Text;
using System.Text.Json;
using Silo.Core;

namespace Silo.Models.OnnxGenAI;

/// <summary>
/// A Hugging Face tokenizer.json, as far as Silo reads it: the bytes that each token stands for (GPT-2's table of characters for bytes, or
/// SentencePiece's ▁ for a space and &lt;0x00&gt; to &lt;0xFF&gt; for bytes; special tokens stand for none), and whole, where it was made from SentencePiece.
/// </summary>
internal sealed class TokenizerFile
{
    private readonly string _path;
    private readonly string?[] _texts;
    private readonly byte[][] _bytes;
    private readonly Dictionary<string, int> _special = new(StringComparer.Ordinal);

    private TokenizerFile(JsonElement root, ModelFolder folder, string path)
    {
        (_path, _texts, _bytes) = (path, new string?[folder.VocabularySize], new byte[folder.VocabularySize][]);
        Array.Fill(_bytes, []);
        var model = root.GetProperty("model");
        var byteLevel = Mentions(root, "pre_tokenizer", "ByteLevel") || Mentions(root, "decoder", "ByteLevel");
        var fallback = IsTrue(model, "byte_fallback");
        AddsSpace = !byteLevel && (Mentions(root, "normalizer", "Prepend") || Mentions(root, "pre_tokenizer", "Metaspace"));
        var types = new long[folder.VocabularySize];
        // Ids that the vocabulary does not fill up are never encoded, and decode to nothing.
        Array.Fill(types, SentencePieceTokenizer.Control);
        void Set(int id, string text, long type)
        {
            if ((uint)id >= (uint)_texts.Length) throw new SiloException($"{path}: token id {id} lies outside the model's vocabulary of {_texts.Length}");
            (_texts[id], types[id]) = (text, type);
            _bytes[id] = type switch
            {
                SentencePieceTokenizer.Control or SentencePieceTokenizer.Unknown => [],
                SentencePieceTokenizer.ByteType => [byte.Parse(text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)],
                SentencePieceTokenizer.UserDefined => Encoding.UTF8.GetBytes(text),
                _ => byteLevel ? FromByteLevel(text) : Encoding.UTF8.GetBytes(text.Replace('\u2581', ' ')),
            };
        }
        var vocabulary = model.GetProperty("vocab");
        var entries = vocabulary.ValueKind == JsonValueKind.Object
            ? vocabulary.EnumerateObject().Select(entry => (Id: entry.Value.GetInt32(), Text: entry.Name))
            : vocabulary.EnumerateArray().Select((entry, id) => (Id: id, Text: TextOf(entry[0])));
        foreach (var (id, text) in entries) Set(id, text, fallback && IsByte(text) ? SentencePieceTokenizer.ByteType : SentencePieceTokenizer.Normal);
        var unknown = model.TryGetProperty("unk_token", out var name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null;
        if (root.TryGetProperty("added_tokens", out var added) && added.ValueKind == JsonValueKind.Array)
            foreach (var token in added.EnumerateArray())
            {
                var (id, text, special) = (token.GetProperty("id").GetInt32(), TextOf(token.GetProperty("content")), IsTrue(token, "special"));
                Set(id, text, !special ? SentencePieceTokenizer.UserDefined : text == unknown ? SentencePieceTokenizer.Unknown : SentencePieceTokenizer.Control);
                if (special) _special[text] = id;
            }
        if (fallback && !byteLevel && model.GetProperty("type").GetString() == "BPE") Pieces = SentencePiece(model, types, unknown, folder);
    }

    /// <summary>Whether a space is put in front of a text.</summary>
    public bool AddsSpace { get; }

    /// <summary>The tokenizer itself, where it is SentencePiece's BPE: the runtime cuts such texts as Llama 3 does, and merges across no cut.</summary>
    public SentencePieceTokenizer? Pieces { get; }

    /// <summary>The bytes of a token.</summary>
    public ReadOnlySpan<byte> this[int id]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(id);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, _bytes.Length);
            return _bytes[id];
        }
    }

    /// <exception cref="SiloException">The file is missing, or is no tokenizer that is understood.</exception>
    public static TokenizerFile Read(ModelFolder folder, string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return new TokenizerFile(json.RootElement, folder, path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SiloException($"{path}: no such file; what tokens stand for is read from it", e);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException or IOException or UnauthorizedAccessException)
        {
            throw new SiloException($"{path}: not a tokenizer that is understood: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>The ids of a text whose special tokens count as such, by <see cref="Pieces"/>; each part between them begins anew.</summary>
    public int[] EncodeWithSpecial(string text)
    {
        var ids = new List<int>();
        var from = 0;
        void Plain(int to)
        {
            if (to == from) return;
            var part = Pieces!.Encode(text[from..to]);
            ids.AddRange(part.Length > 0 && part[0] == Pieces.Bos ? part[1..] : part);
        }
        for (var at = 0; at < text.Length;)
        {
            // The longest that fits, as tokenizers take them.
            var token = _special.Keys.Where(t => t.Length > 0 && string.CompareOrdinal(text, at, t, 0, t.Length) == 0).MaxBy(t => t.Length);
            if (token is null)
            {
                at++;
                continue;
            }
            Plain(at);
            ids.Add(_special[token]);
            at = from = at + token.Length;
        }
        Plain(text.Length);
        return [.. ids];
    }

    private SentencePieceTokenizer SentencePiece(JsonElement model, long[] types, string? unknown, ModelFolder folder)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < _texts.Length; id++)
            if (_texts[id] is { } text) ids.TryAdd(text, id);
        // Merges are listed by the score of what they make: the first that makes a piece tells its rank.
        var scores = new float[_texts.Length];
        Array.Fill(scores, float.MinValue);
        foreach (var (rank, merge) in model.GetProperty("merges").EnumerateArray().Index())
        {
            var piece = merge.ValueKind == JsonValueKind.Array ? TextOf(merge[0]) + TextOf(merge[1]) : Joined(TextOf(merge));
            if (ids.TryGetValue(piece, out var id) && scores[id] == float.MinValue) scores[id] = -rank;
        }
        return new SentencePieceTokenizer(new SentencePieceVocabulary
        {
            File = _path,
            Texts = [.. _texts.Select(text => text ?? "")],
            Scores = scores,
            Types = types,
            Bos = folder.Bos,
            Unknown = unknown is not null && ids.TryGetValue(unknown, out var known) ? known : null,
            EndOfText = folder.EndOfText,
            AddsBos = false,
            AddsSpace = AddsSpace,
        });
    }

    private static string TextOf(JsonElement element) => element.GetString() ?? throw new JsonException("null where a text was expected");

    private static string Joined(string merge)
    {
        var space = merge.IndexOf(' ');
        return space < 0 ? throw new JsonException($"the merge '{merge}' has no space") : string.Concat(merge.AsSpan(0, space), merge.AsSpan(space + 1));
    }

    private static bool IsByte(string text) => text is ['<', '0', 'x', _, _, '>'] && byte.TryParse(text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _);

    private static bool IsTrue(JsonElement element, string name) => element.TryGetProperty(name, out var flag) && flag.ValueKind == JsonValueKind.True;

    private static bool Mentions(JsonElement root, string part, string type) =>
        root.TryGetProperty(part, out var element) && element.ValueKind == JsonValueKind.Object && element.GetRawText().Contains($"\"{type}\"", StringComparison.Ordinal);

    /// <summary>
    /// GPT-2's table: printable characters stand for their own byte, the others for the bytes that are left, from U+0100 on. A piece with any other
    /// character stands for itself.
    /// </summary>
    private static byte[] FromByteLevel(string piece)
    {
        var bytes = new byte[piece.Length];
        for (var i = 0; i < piece.Length; i++)
        {
            var value = IsPrintable(piece[i]) ? piece[i] : HiddenByte(piece[i]);
            if (value < 0) return Encoding.UTF8.GetBytes(piece);
            bytes[i] = (byte)value;
        }
        return bytes;
    }

    private static bool IsPrintable(int c) => c is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);

    private static int HiddenByte(char c)
    {
        var left = c - 256;
        for (var b = 0; b < 256; b++)
            if (!IsPrintable(b) && left-- == 0) return b;
        return -1;
    }
}
