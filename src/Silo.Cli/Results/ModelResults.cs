namespace Silo.Cli.Results;

/// <summary>The ids of a text, the beginning-of-text token included.</summary>
internal sealed record TokenizeResult(IReadOnlyList<int> Ids);

/// <summary>What a model's file says of itself.</summary>
internal sealed record ModelInfoResult
{
    public required string File { get; init; }
    public required string Name { get; init; }
    public required string Architecture { get; init; }
    public required long Parameters { get; init; }
    public required int VocabularySize { get; init; }
    public required int ContextLength { get; init; }
    public required int Layers { get; init; }
    public required int Width { get; init; }
    public required string Sha256 { get; init; }
    public required string Engine { get; init; }
    public required string NumericProfile { get; init; }
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }
    public required IReadOnlyList<TensorFacts> Tensors { get; init; }
}

/// <summary>One tensor of the file.</summary>
internal sealed record TensorFacts(string Name, string Type, IReadOnlyList<long> Shape, long Bytes);

/// <summary>One text: the ids generated, without the prompt and without end of text; why it ended: stop or length.</summary>
internal sealed record GenerateResult(IReadOnlyList<int> Tokens, string Text, string Finish);

/// <summary>How well a model predicts a text: bits per UTF-8 byte, and perplexity per token.</summary>
internal sealed record PerplexityLine(double BitsPerByte, double Perplexity, long Tokens, long Bytes);
