namespace Silo.Core.Features;

/// <summary>The cumulative masses whose widths are features, in column order.</summary>
internal static class FeatureThresholds
{
    public static ReadOnlySpan<double> Masses => [0.5, 0.9, 0.95, 0.99];
}
