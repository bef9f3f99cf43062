namespace Silo.Core.Features;

/// <summary>Which way rows went through <see cref="FeatureKernel"/>.</summary>
/// <param name="Rows">Rows computed.</param>
/// <param name="Rounded">Rows of bfloat16 numbers, counted exactly by value.</param>
/// <param name="Recomputed">
/// Rows in which a cumulative mass came within the histogram's proven error of a threshold, so that they were computed once
/// more in float64 (they are among <paramref name="Sorted"/>).
/// </param>
/// <param name="Sorted">Rows that were sorted: short ones, special ones, and the recomputed.</param>
public readonly record struct KernelStatistics(long Rows, long Rounded, long Recomputed, long Sorted);
