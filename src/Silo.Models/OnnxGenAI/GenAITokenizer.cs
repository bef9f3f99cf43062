using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Silo.Core;
using Silo.Models.OnnxGenAI.Native;

namespace Silo.Models.OnnxGenAI;

/// <summary>
/// The tokenizer of a model folder: the runtime's, but for SentencePiece's vocabularies, which are merged by our own. The runtime's Encode is
/// not thread-safe, so each caller has one to itself meanwhile: as many are made as callers meet, up to a limit. Decoding is ours, from the bytes
/// of the tokens. Special tokens that a text spells out count as such where the runtime encodes. Safe for any number of threads.
/// </summary>
internal sealed class GenAITokenizer : ITokenizer, IDisposable
{
    // A tokenizer of 128,256 tokens takes some 100 MB and a second to read.
    private const int MostTokenizers = 4;

    private readonly OgaModel _model;
    private readonly string _file;
    private readonly TokenizerFile _tokens;
    private readonly ConcurrentBag<OgaTokenizer> _idle = [];
    private readonly SemaphoreSlim _places = new(MostTokenizers);
    private readonly bool _asksForBos, _chats;

    /// <exception cref="SiloException">The folder's tokenizer cannot be used.</exception>
    public GenAITokenizer(ModelFolder folder, OgaModel model)
    {
        (_model, _file) = (model, folder.Inside("tokenizer.json"));
        (VocabularySize, Bos, EndOfText) = (folder.VocabularySize, folder.Bos, folder.EndOfText);
        _tokens = TokenizerFile.Read(folder, _file);
        (_asksForBos, _chats) = Asks(folder);
        Encode("");
    }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <inheritdoc/>
    public int? Bos { get; }

    /// <inheritdoc/>
    public IReadOnlyList<int> EndOfText { get; }

    /// <inheritdoc/>
    public int[] Encode(string text) => WithBos(_tokens.Pieces is { } pieces ? pieces.Encode(text) : Native(text));

    /// <inheritdoc/>
    public int[] EncodePrompt(string prompt)
    {
        if (!_chats) return Encode(prompt);
        var text = InTemplate(prompt);
        return WithBos(_tokens.Pieces is null ? Native(text) : _tokens.EncodeWithSpecial(text));
    }

    /// <inheritdoc/>
    public int[] EncodeContinuation(string text) => _tokens.Pieces is { } pieces ? pieces.EncodeContinuation(text) : Native(text);

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var text = DecodeContinuation(ids);
        return _tokens.AddsSpace && text.StartsWith(' ') ? text[1..] : text;
    }

    /// <inheritdoc/>
    public string DecodeContinuation(ReadOnlySpan<int> ids)
    {
        var bytes = new ArrayBufferWriter<byte>((ids.Length * 4) + 1);
        foreach (var id in ids) bytes.Write(_tokens[id]);
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Bytes(int id) => _tokens[id];

    public void Dispose()
    {
        while (_idle.TryTake(out var tokenizer)) tokenizer.Dispose();
        _places.Dispose();
    }

    private int[] WithBos(int[] ids) => _asksForBos && Bos is { } bos && (ids.Length == 0 || ids[0] != bos) ? [bos, .. ids] : ids;

    private unsafe int[] Native(string text) => With(tokenizer =>
    {
        if (text.Contains('\0')) throw new SiloException("a text with the character U+0000 cannot be given to the runtime's tokenizer, which would end it there");
        Oga.Check(Oga.CreateSequences(out var sequences));
        using (sequences)
        {
            Oga.Check(Oga.TokenizerEncode(tokenizer, text, sequences));
            return new ReadOnlySpan<int>(Oga.SequencesGetSequenceData(sequences, 0), (int)Oga.SequencesGetSequenceCount(sequences, 0)).ToArray();
        }
    });

    private string InTemplate(string prompt) => With(tokenizer =>
    {
        // Half of a surrogate pair becomes U+FFFD here as it does where text is encoded.
        var message = JsonEncodedText.Encode(Encoding.UTF8.GetBytes(prompt));
        Oga.Check(Oga.TokenizerApplyChatTemplate(tokenizer, null, $$"""[{"role":"user","content":"{{message}}"}]""", null, addGenerationPrompt: true, out var text));
        return Oga.Take(text);
    });

    private T With<T>(Func<OgaTokenizer, T> use)
    {
        _places.Wait();
        try
        {
            if (!_idle.TryTake(out var tokenizer)) Oga.Check(Oga.CreateTokenizer(_model, out tokenizer));
            try
            {
                return use(tokenizer);
            }
            finally
            {
                _idle.Add(tokenizer);
            }
        }
        catch (OgaException e)
        {
            throw new SiloException($"{_file}: {e.Message}", e);
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>Whether the model wants its beginning-of-text token, and whether it comes with a chat template.</summary>
    private static (bool Bos, bool Chats) Asks(ModelFolder folder)
    {
        var (bos, chats) = (folder.Bos is not null, File.Exists(folder.Inside("chat_template.jinja")));
        var file = folder.Inside("tokenizer_config.json");
        if (!File.Exists(file)) return (bos, chats);
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            var root = json.RootElement;
            if (root.TryGetProperty("add_bos_token", out var add)) bos &= add.ValueKind == JsonValueKind.True;
            return (bos, chats || (root.TryGetProperty("chat_template", out var template) && template.ValueKind != JsonValueKind.Null));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new SiloException($"{file}: {e.Message}", e);
        }
    }
}
