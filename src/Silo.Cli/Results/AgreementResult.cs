using System.Text.Json.Serialization;
using Silo.Core.Statistics;

namespace Silo.Cli.Results;

/// <summary>
/// How far raters agree. Units of Krippendorff's alpha are the (prompt, item) pairs; each <c>..._ci</c> is the 95 % bootstrap interval
/// over prompts, null where fewer than two of them have a say.
/// </summary>
internal sealed record AgreementResult
{
    public required int Prompts { get; init; }
    public required int Raters { get; init; }
    public required double? KrippendorffAlphaOrdinal { get; init; }
    public required Interval? KrippendorffAlphaOrdinalCi { get; init; }
    public required double? KrippendorffAlphaInterval { get; init; }
    public required Interval? KrippendorffAlphaIntervalCi { get; init; }
    public required int KrippendorffNUnits { get; init; }
    public required double? KendallWMean { get; init; }
    public required Interval? KendallWMeanCi { get; init; }

    [JsonPropertyName("kendall_w_n_defined")]
    public required int KendallWNDefined { get; init; }

    [JsonPropertyName("kendall_w_n_undefined")]
    public required int KendallWNUndefined { get; init; }
    public required double? MeanPairwiseRho { get; init; }
    public required Interval? MeanPairwiseRhoCi { get; init; }
    public required int MeanPairwiseRhoNDefined { get; init; }

    /// <summary>Pairs of raters who both have lines in a prompt, but no defined rho.</summary>
    public required int MeanPairwiseRhoNUndefined { get; init; }

    /// <summary>Pairs of raters of whom one has no line in a prompt.</summary>
    public required int MeanPairwiseRhoNAbsent { get; init; }
    public required double? MeanPairwiseRhoByPromptFirst { get; init; }
    public required double? MeanPairwiseRhoByPairFirst { get; init; }
    public required double? RaterAgainstRestRho { get; init; }
    public required Interval? RaterAgainstRestRhoCi { get; init; }
    public required int PairwiseMajorityNCycles { get; init; }

    /// <summary>The same for each panel alone, where panels are named.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, AgreementResult>? Panels { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<PromptItems>? PerPrompt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double?>? KendallWPerPrompt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double[]?>? MajorityPerPrompt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double[]>? PairwiseMajorityPerPrompt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<bool>? PairwiseMajorityCycle { get; init; }
}

/// <summary>What the entries of the per-prompt lists are about.</summary>
internal sealed record PromptItems(string Prompt, IReadOnlyList<string> Items);
