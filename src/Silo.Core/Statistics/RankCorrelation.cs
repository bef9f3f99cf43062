namespace Silo.Core.Statistics;

/// <summary>Spearman's rho of a measure with a gold ranking, and what is left of it without the measure's ties.</summary>
/// <param name="Rho">Spearman's rho in [-1, 1], mid-ranks for ties.</param>
/// <param name="RhoUntied">
/// The expectation of rho when the measure's ties are broken at random: rho * sqrt(1 - sum(t³-t)/(n³-n)) over the
/// measure's tie groups. Equal to <paramref name="Rho"/> where the measure has no ties.
/// </param>
public readonly record struct RankCorrelation(double Rho, double RhoUntied);
