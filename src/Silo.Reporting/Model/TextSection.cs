namespace Silo.Reporting.Model;

/// <summary>Part 8: the texts that are shown.</summary>
public sealed record TextSection
{
    /// <summary>How many texts there are in all.</summary>
    public required int Total { get; init; }

    /// <summary>By what rule these were chosen, in one sentence.</summary>
    public required string Rule { get; init; }

    /// <summary>What is missing and why, or empty.</summary>
    public required string Missing { get; init; }

    /// <summary>The features that tokens can be tinted by; the first is chosen at the start.</summary>
    public required IReadOnlyList<TokenScale> Scales { get; init; }

    /// <summary>The texts of the candidates for tokens: <see cref="ShownToken"/> refers to them by number.</summary>
    public required IReadOnlyList<string> Vocabulary { get; init; }

    /// <summary>The prompts, each with its texts ascending by temperature.</summary>
    public required IReadOnlyList<ShownPrompt> Prompts { get; init; }
}

/// <summary>One feature and the scale its tint uses, the same for all texts.</summary>
/// <param name="Feature">The feature's key.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Low">Value of the lightest tint.</param>
/// <param name="High">Value of the strongest tint (99th percentile of all shown tokens).</param>
/// <param name="Logarithmic">Whether steps between them are equal ratios.</param>
public sealed record TokenScale(string Feature, string Title, string Unit, double Low, double High, bool Logarithmic);

/// <summary>A prompt with its texts.</summary>
/// <param name="Id">The prompt's id.</param>
/// <param name="Text">The prompt.</param>
/// <param name="Texts">Its texts.</param>
public sealed record ShownPrompt(string Id, string Text, IReadOnlyList<ShownText> Texts);

/// <summary>One shown text.</summary>
public sealed record ShownText
{
    /// <summary>Its item name, <c>t0.3-0</c>.</summary>
    public required string Item { get; init; }

    /// <summary>Its temperature.</summary>
    public required double Temperature { get; init; }

    /// <summary>Its ranks by gold, in the order of the board's golds; NaN where not rated.</summary>
    public required double[] Ranks { get; init; }

    /// <summary>Whether the model ended it; otherwise the token limit did.</summary>
    public required bool Ended { get; init; }

    /// <summary>The token texts; a single one, the whole text, where they are not known.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>Per scale the value at every token, rounded to four significant digits; empty where traces were not kept.</summary>
    public required IReadOnlyList<double[]> Values { get; init; }

    /// <summary>Per token what its card shows; empty where the text was not replayed.</summary>
    public required IReadOnlyList<ShownToken> Cards { get; init; }
}

/// <summary>What a token's card shows beyond the features; probabilities to four significant digits.</summary>
/// <param name="P">p of the token.</param>
/// <param name="Q">q of the token.</param>
/// <param name="Rank">Its rank.</param>
/// <param name="EntropyP">H(p), nats.</param>
/// <param name="EntropyQ">H(q), nats.</param>
/// <param name="Leak">Leak.</param>
/// <param name="Top">Numbers in the vocabulary of the ten most probable tokens.</param>
/// <param name="TopP">Their p.</param>
/// <param name="TopQ">Their q.</param>
public sealed record ShownToken(
    double P, double Q, int Rank, double EntropyP, double EntropyQ, double Leak, int[] Top, double[] TopP, double[] TopQ);
