namespace Silo.Models;

/// <summary>
/// Turns text into token ids and back. Implementations may be used by several threads at once unless the model's
/// documentation says otherwise.
/// </summary>
public interface ITokenizer
{
    /// <summary>Number of token ids: 0 up to this, exclusive.</summary>
    int VocabularySize { get; }

    /// <summary>The id that begins a text, or null where the model has none.</summary>
    int? Bos { get; }

    /// <summary>The ids after which a text is over.</summary>
    IReadOnlyList<int> EndOfText { get; }

    /// <summary>The ids of a text as the model wants one to begin: with the beginning-of-text id where the model asks for one.</summary>
    int[] Encode(string text);

    /// <summary>The ids of a prompt that a text is to answer or continue: within the model's own chat template where it has one.</summary>
    int[] EncodePrompt(string prompt) => Encode(prompt);

    /// <summary>The ids of a text that follows other tokens: no beginning of text, no space put in front.</summary>
    int[] EncodeContinuation(string text);

    /// <summary>The text of a whole sequence as <see cref="Encode"/> made it: a space that the tokenizer put in front is taken off.</summary>
    string Decode(ReadOnlySpan<int> ids);

    /// <summary>The text of ids that follow others: a leading space stays. Incomplete UTF-8 becomes U+FFFD.</summary>
    string DecodeContinuation(ReadOnlySpan<int> ids);

    /// <summary>The bytes (UTF-8, perhaps a part of a character) that a token stands for; none for control tokens.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id lies outside the vocabulary.</exception>
    ReadOnlySpan<byte> Bytes(int id);
}
