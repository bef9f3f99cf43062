namespace Silo.Reporting.Model;

/// <summary>What was run: everything a reader needs to judge it or to run it again.</summary>
public sealed record RunFacts
{
    /// <summary>The experiment's name.</summary>
    public required string Name { get; init; }

    /// <summary>The model, as a person would name it.</summary>
    public required string Model { get; init; }

    /// <summary>The run's digest (hex), or empty while it is not finished.</summary>
    public required string Digest { get; init; }

    /// <summary>Engine, model digest and numeric profile: the fingerprint of what made the texts.</summary>
    public required string Engine { get; init; }

    /// <summary>Number of prompts of the spec.</summary>
    public required int Prompts { get; init; }

    /// <summary>The temperatures of the spec, ascending.</summary>
    public required IReadOnlyList<double> Temperatures { get; init; }

    /// <summary>Samples per prompt and temperature.</summary>
    public required int Samples { get; init; }

    /// <summary>Most tokens a text may have.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Texts made.</summary>
    public required int Texts { get; init; }

    /// <summary>Tokens generated in them.</summary>
    public required long Tokens { get; init; }

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The processors of the logits in their order, one phrase each.</summary>
    public required IReadOnlyList<string> Processors { get; init; }

    /// <summary>K of the captured features.</summary>
    public required int CaptureK { get; init; }

    /// <summary>The reference temperatures of the twins.</summary>
    public required IReadOnlyList<double> ReferenceTemperatures { get; init; }

    /// <summary>Versions of what took part, name and value.</summary>
    public required IReadOnlyList<Fact> Versions { get; init; }

    /// <summary>What failed or was left out, with its reason; empty where nothing did.</summary>
    public required IReadOnlyList<Failure> Failures { get; init; }

    /// <summary>The experiment's file, as it was accepted.</summary>
    public required string Spec { get; init; }

    /// <summary>Commands that make the run and this page again.</summary>
    public required IReadOnlyList<string> Commands { get; init; }
}

/// <summary>A name and a value.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">Its value.</param>
public sealed record Fact(string Name, string Value);

/// <summary>Something that failed, visible with its reason.</summary>
/// <param name="Reason">Why, in one line.</param>
/// <param name="Count">How often.</param>
/// <param name="Examples">Keys of some of the things that failed.</param>
public sealed record Failure(string Reason, int Count, IReadOnlyList<string> Examples);
