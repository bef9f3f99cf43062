using System.Buffers;
using System.Globalization;
using System.Text;
using Silo.Core;
using Silo.Models.Gguf;

namespace Silo.Models;

/// <summary>
/// SentencePiece's BPE as GGUF files of type <c>llama</c> and tokenizer.json files made from it carry it: of all neighbouring pairs that together are a piece, the one with
/// the highest score is merged first, the leftmost of equals; what is no piece in the end falls back to byte tokens. Symbols
/// that the vocabulary marks as user-defined are cut out first and never merged. O(n log n). Safe for any number of threads.
/// Source: Kudo and Richardson 2018; sentencepiece/src/bpe_model.cc.
/// </summary>
public sealed class SentencePieceTokenizer : ITokenizer
{
    internal const int Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, ByteType = 6;

    private readonly string _file;
    private readonly byte[][] _bytes;
    private readonly float[] _scores;
    private readonly int[] _byteIds = new int[256];
    private readonly int? _unknown;
    private readonly bool _addBos, _addEos, _addSpace;

    // Keys hold one UTF-8 byte per char, so that any byte string can be looked up without being valid text.
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _pieces;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _userDefined;
    private readonly int _longestUserDefined;

    /// <exception cref="SiloException">The vocabulary contradicts itself.</exception>
    internal SentencePieceTokenizer(SentencePieceVocabulary vocabulary)
    {
        _file = vocabulary.File;
        var (texts, types) = (vocabulary.Texts, vocabulary.Types);
        _scores = vocabulary.Scores;
        if (texts.Length == 0) throw Fault("the vocabulary is empty");
        if (_scores.Length != texts.Length) throw Fault($"{texts.Length} tokens but {_scores.Length} scores");
        if (types.Length != texts.Length) throw Fault($"{texts.Length} tokens but {types.Length} token types");
        if (_scores.Any(float.IsNaN)) throw Fault("a score is NaN");
        (Bos, _unknown, EndOfText) = (vocabulary.Bos, vocabulary.Unknown, vocabulary.EndOfText);
        _addBos = vocabulary.AddsBos && Bos is not null;
        _addEos = vocabulary.AddsEos && EndOfText.Count > 0;
        _addSpace = vocabulary.AddsSpace;
        _bytes = new byte[texts.Length][];
        Array.Fill(_byteIds, -1);
        var pieces = new Dictionary<string, int>(StringComparer.Ordinal);
        var userDefined = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < texts.Length; id++)
        {
            _bytes[id] = types[id] switch
            {
                Control => [],
                Unknown => "\uFFFD"u8.ToArray(),
                ByteType => [ByteOf(texts[id], id)],
                _ => Encoding.UTF8.GetBytes(texts[id].Replace('\u2581', ' ')),
            };
            if (types[id] == ByteType) _byteIds[_bytes[id][0]] = id;
            if (types[id] is Normal or UserDefined && _bytes[id].Length > 0)
            {
                pieces.TryAdd(Key(_bytes[id]), id);
                if (types[id] == UserDefined) userDefined.TryAdd(Key(_bytes[id]), id);
            }
        }
        if (_unknown is null && Array.IndexOf(_byteIds, -1) is >= 0 and var gap)
            throw Fault($"neither a token for the byte 0x{gap:X2} nor an unknown token");
        _pieces = pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        _userDefined = userDefined.GetAlternateLookup<ReadOnlySpan<char>>();
        _longestUserDefined = userDefined.Keys.Select(k => k.Length).DefaultIfEmpty(0).Max();
    }

    /// <inheritdoc/>
    public int VocabularySize => _bytes.Length;

    /// <inheritdoc/>
    public int? Bos { get; }

    /// <inheritdoc/>
    public IReadOnlyList<int> EndOfText { get; }

    /// <summary>Reads the tokenizer from a model's metadata.</summary>
    /// <exception cref="SiloException">The file has another kind of tokenizer, or one that contradicts itself.</exception>
    public static SentencePieceTokenizer Read(GgufFile gguf)
    {
        var metadata = gguf.Metadata;
        var kind = metadata.Text("tokenizer.ggml.model");
        if (kind != "llama") throw new SiloException($"{gguf.Path}: the tokenizer '{kind}' is not supported ('llama', SentencePiece BPE, is)");
        var texts = metadata.Texts("tokenizer.ggml.tokens");
        int? Id(string name) => metadata.Has(name) ? metadata.Whole(name, 0, texts.Length - 1) : null;
        return new SentencePieceTokenizer(new SentencePieceVocabulary
        {
            File = gguf.Path,
            Texts = texts,
            Scores = metadata.Reals("tokenizer.ggml.scores"),
            Types = metadata.Wholes("tokenizer.ggml.token_type"),
            Bos = Id("tokenizer.ggml.bos_token_id"),
            Unknown = Id("tokenizer.ggml.unknown_token_id"),
            EndOfText = [.. new[] { Id("tokenizer.ggml.eos_token_id"), Id("tokenizer.ggml.eot_token_id") }.OfType<int>().Distinct()],
            AddsBos = metadata.Flag("tokenizer.ggml.add_bos_token", true),
            AddsEos = metadata.Flag("tokenizer.ggml.add_eos_token", false),
            AddsSpace = metadata.Flag("tokenizer.ggml.add_space_prefix", true),
        });
    }

    /// <inheritdoc/>
    public int[] Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    /// <summary>The ids of a text given as bytes; they need not be valid UTF-8.</summary>
    public int[] Encode(ReadOnlySpan<byte> text)
    {
        var ids = new List<int>(text.Length / 2 + 2);
        if (_addBos) ids.Add(Bos!.Value);
        EncodePieces(text, _addSpace, ids);
        if (_addEos) ids.Add(EndOfText[0]);
        return [.. ids];
    }

    /// <inheritdoc/>
    public int[] EncodeContinuation(string text)
    {
        var ids = new List<int>(text.Length / 2 + 2);
        EncodePieces(Encoding.UTF8.GetBytes(text), space: false, ids);
        return [.. ids];
    }

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var text = DecodeContinuation(ids);
        return _addSpace && text.StartsWith(' ') ? text[1..] : text;
    }

    /// <inheritdoc/>
    public string DecodeContinuation(ReadOnlySpan<int> ids) => Encoding.UTF8.GetString(DecodeBytes(ids));

    /// <summary>The bytes of ids that follow others.</summary>
    public byte[] DecodeBytes(ReadOnlySpan<int> ids)
    {
        var bytes = new ArrayBufferWriter<byte>(ids.Length * 4 + 1);
        foreach (var id in ids) bytes.Write(Bytes(id));
        return bytes.WrittenSpan.ToArray();
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Bytes(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, _bytes.Length);
        return _bytes[id];
    }

    /// <summary>One char per byte; a space in front where the model wants it; U+2581, SentencePiece's own sign for a space, becomes one.</summary>
    private static int Normalise(ReadOnlySpan<byte> text, bool space, Span<char> to)
    {
        var n = 0;
        if (space) to[n++] = ' ';
        for (var i = 0; i < text.Length; i++)
            if (text[i..].StartsWith("\u2581"u8)) (to[n++], i) = (' ', i + 2);
            else to[n++] = (char)text[i];
        return n;
    }

    private void EncodePieces(ReadOnlySpan<byte> bytes, bool space, List<int> ids)
    {
        if (bytes.IsEmpty) return;
        var buffer = ArrayPool<char>.Shared.Rent(bytes.Length + 1);
        Merge(buffer.AsSpan(0, Normalise(bytes, space, buffer)), ids);
        ArrayPool<char>.Shared.Return(buffer);
    }

    private void Merge(ReadOnlySpan<char> text, List<int> ids)
    {
        var symbols = Split(text);
        var queue = new PriorityQueue<Proposal, (float Score, int Left)>(symbols.Length, s_bestFirst);
        for (var i = 0; i + 1 < symbols.Length; i++) Propose(text, symbols, i, queue);
        while (queue.TryDequeue(out var merge, out _))
        {
            ref var left = ref symbols[merge.Left];
            ref var right = ref symbols[merge.Right];
            // An older proposal whose parts have been merged elsewhere since.
            if (left.Length == 0 || right.Length == 0 || left.Length + right.Length != merge.Length) continue;
            (left.Length, right.Length) = (merge.Length, 0);
            left.Next = right.Next;
            if (left.Next >= 0) symbols[left.Next].Previous = merge.Left;
            if (left.Previous >= 0) Propose(text, symbols, left.Previous, queue);
            if (left.Next >= 0) Propose(text, symbols, merge.Left, queue);
        }
        for (var i = 0; i >= 0; i = symbols[i].Next) Emit(text.Slice(symbols[i].Start, symbols[i].Length), ids);
    }

    /// <summary>User-defined symbols (the longest that fits) and single characters; bytes that are no UTF-8 stand alone.</summary>
    private Symbol[] Split(ReadOnlySpan<char> text)
    {
        var symbols = new List<Symbol>(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var length = UserDefinedAt(text[at..]);
            var whole = length > 0;
            if (!whole) length = CharacterLength(text[at..]);
            symbols.Add(new Symbol { Start = at, Length = length, Frozen = whole, Previous = symbols.Count - 1, Next = symbols.Count + 1 });
            at += length;
        }
        var array = symbols.ToArray();
        array[^1].Next = -1;
        return array;
    }

    private int UserDefinedAt(ReadOnlySpan<char> text)
    {
        for (var length = Math.Min(_longestUserDefined, text.Length); length > 0; length--)
            if (_userDefined.ContainsKey(text[..length])) return length;
        return 0;
    }

    private static int CharacterLength(ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[Math.Min(4, text.Length)];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)text[i];
        return Rune.DecodeFromUtf8(bytes, out _, out var consumed) == OperationStatus.Done ? consumed : 1;
    }

    private void Propose(ReadOnlySpan<char> text, Symbol[] symbols, int left, PriorityQueue<Proposal, (float, int)> queue)
    {
        var right = symbols[left].Next;
        if (symbols[left].Frozen || symbols[right].Frozen) return;
        var length = symbols[left].Length + symbols[right].Length;
        if (_pieces.TryGetValue(text.Slice(symbols[left].Start, length), out var id))
            queue.Enqueue(new Proposal(left, right, length), (_scores[id], left));
    }

    private void Emit(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (_pieces.TryGetValue(piece, out var id)) ids.Add(id);
        else
            foreach (var b in piece)
                ids.Add(_byteIds[b] >= 0 ? _byteIds[b] : _unknown!.Value);
    }

    private byte ByteOf(string text, int id) =>
        text.Length == 6 && text.StartsWith("<0x", StringComparison.Ordinal) && text[5] == '>'
        && byte.TryParse(text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw Fault($"token {id} is marked as a byte but is not named <0x00> to <0xFF>");

    private SiloException Fault(string cause) => new($"{_file}: tokenizer: {cause}");

    private static string Key(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    private static readonly Comparer<(float Score, int Left)> s_bestFirst = Comparer<(float Score, int Left)>.Create(
        (a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Left.CompareTo(b.Left));

    private readonly record struct Proposal(int Left, int Right, int Length);

    private struct Symbol
    {
        public int Start, Length, Previous, Next;
        public bool Frozen;
    }
}
