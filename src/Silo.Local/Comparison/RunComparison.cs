using System.Text.Json.Serialization;

namespace Silo.Local.Comparison;

/// <summary>Two runs side by side, paired by prompt.</summary>
public sealed record RunComparison
{
    /// <summary>The first run.</summary>
    public required ComparedRun A { get; init; }

    /// <summary>The second run.</summary>
    public required ComparedRun B { get; init; }

    /// <summary>What differs between the specs, one entry a key, from the first to the second.</summary>
    public required IReadOnlyList<string> SpecDifferences { get; init; }

    /// <summary>Prompts with the same id and text that both runs have texts of; only these are compared.</summary>
    public required int Prompts { get; init; }

    /// <summary>Temperatures that both runs have; their texts are compared, or all where there is none.</summary>
    public required IReadOnlyList<double> Temperatures { get; init; }

    /// <summary>Per primary measure: the mean over prompts of the prompt's mean.</summary>
    public required IReadOnlyList<PairedMeasure> Measures { get; init; }

    /// <summary>Per primary measure and gold that both have: the mean within-prompt rho, positive when larger values go with better ranks.</summary>
    public required IReadOnlyList<PairedMeasure> Correlations { get; init; }
}

/// <summary>One of two compared runs.</summary>
/// <param name="Run">Its directory.</param>
/// <param name="Name">The experiment's name.</param>
/// <param name="Generations">Texts kept.</param>
/// <param name="Digest">Its digest, or null where it is not finished.</param>
/// <param name="Engines">Fingerprints of what made the texts.</param>
public sealed record ComparedRun(string Run, string Name, long Generations, string? Digest, IReadOnlyList<string> Engines);

/// <summary>A number in both runs and its difference, paired by prompt.</summary>
/// <param name="Measure">The measure.</param>
/// <param name="Gold">The gold, for a correlation; else null.</param>
/// <param name="N">Prompts where it is defined in both runs.</param>
/// <param name="Undefined">Prompts where it is not.</param>
/// <param name="MeanA">Mean in the first run over these prompts, or null where there is none.</param>
/// <param name="MeanB">Mean in the second.</param>
/// <param name="Difference">B - A.</param>
/// <param name="Ci">95 % bootstrap interval over prompts of the difference.</param>
/// <param name="P">Two-sided p of the paired sign-flip test; not adjusted for the number of rows.</param>
public sealed record PairedMeasure(
    string Measure, string? Gold, int N, int Undefined, double? MeanA, double? MeanB, double? Difference, double[]? Ci, double? P);

/// <summary>Comparisons as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RunComparison))]
public sealed partial class ComparisonJson : JsonSerializerContext;
