namespace Silo.Core.Statistics;

/// <summary>An interval of an estimate, in the estimate's unit.</summary>
/// <param name="Lower">Lower bound.</param>
/// <param name="Upper">Upper bound, at least the lower one.</param>
public readonly record struct Interval(double Lower, double Upper);
