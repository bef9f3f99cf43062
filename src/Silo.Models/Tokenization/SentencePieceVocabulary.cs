namespace Silo.Models;

/// <summary>What a SentencePiece tokenizer is made of.</summary>
internal sealed record SentencePieceVocabulary
{
    /// <summary>The file that it is from, for messages.</summary>
    public required string File { get; init; }

    /// <summary>The token of each id; ▁ stands for a space.</summary>
    public required string[] Texts { get; init; }

    /// <summary>A score per id: of two pairs the one that makes the piece of the higher score is merged first.</summary>
    public required float[] Scores { get; init; }

    /// <summary>SentencePiece's type per id: 1 normal, 2 unknown, 3 control, 4 user-defined, 6 byte.</summary>
    public required long[] Types { get; init; }

    /// <summary>The id that begins a text.</summary>
    public int? Bos { get; init; }

    /// <summary>The id of what no token stands for.</summary>
    public int? Unknown { get; init; }

    /// <summary>The ids after which a text is over.</summary>
    public required IReadOnlyList<int> EndOfText { get; init; }

    /// <summary>Whether a text begins with <see cref="Bos"/>.</summary>
    public required bool AddsBos { get; init; }

    /// <summary>Whether a text ends with the first of <see cref="EndOfText"/>.</summary>
    public bool AddsEos { get; init; }

    /// <summary>Whether a space is put in front of a text.</summary>
    public required bool AddsSpace { get; init; }
}
