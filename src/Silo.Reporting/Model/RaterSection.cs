using Silo.Experiments.Board;

namespace Silo.Reporting.Model;

/// <summary>Part 7: how far the raters agree. Gold against gold is in the board's table.</summary>
public sealed record RaterSection
{
    /// <summary>One row a rater and panel, in ordinal order of their names.</summary>
    public required IReadOnlyList<RaterRow> Raters { get; init; }

    /// <summary>Agreement within each panel, and over all raters where there are several panels.</summary>
    public required IReadOnlyList<Agreement> Agreements { get; init; }

    /// <summary>What is known of position bias, in one sentence.</summary>
    public required string PositionBias { get; init; }
}

/// <summary>One rater.</summary>
/// <param name="Name">The rater's name.</param>
/// <param name="Panel">The panel, or empty.</param>
/// <param name="Prompts">Prompts rated.</param>
/// <param name="Pairs">Pairs of texts of one prompt that the rater ranked.</param>
/// <param name="Ties">How many of them the rater ties.</param>
/// <param name="AgainstRest">Mean within-prompt rho with the mean rank of the panel's others; null where there are none.</param>
public sealed record RaterRow(string Name, string Panel, int Prompts, int Pairs, int Ties, Estimate? AgainstRest);

/// <summary>Agreement within a group of raters; NaN where undefined.</summary>
/// <param name="Group">A panel's name, or all raters.</param>
/// <param name="Raters">Number of raters.</param>
/// <param name="Prompts">Number of prompts with ranks.</param>
/// <param name="Alpha">Krippendorff's alpha, ordinal.</param>
/// <param name="KendallW">Mean of Kendall's W over prompts with two complete raters.</param>
/// <param name="KendallWPrompts">How many prompts those are.</param>
/// <param name="PairwiseRho">Mean rho of one rater with another.</param>
public sealed record Agreement(
    string Group, int Raters, int Prompts, double Alpha, double KendallW, int KendallWPrompts, Estimate PairwiseRho);
