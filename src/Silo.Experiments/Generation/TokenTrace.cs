using Silo.Core.Features;

namespace Silo.Experiments.Generation;

/// <summary>
/// Feature rows of one text: for each step and each temperature (the text's own first, then the reference
/// temperatures in the request's order) a full and a captured row, in the columns of <see cref="TokenFeatures"/>.
/// A greedy text (T = 0) has its own-temperature rows computed at T = 1, where q = p.
/// </summary>
/// <param name="Steps">Number of tokens.</param>
/// <param name="Temperatures">The own temperature and the reference temperatures.</param>
/// <param name="Full">[steps x temperatures x 28] row-major.</param>
/// <param name="Captured">[steps x temperatures x 31] row-major.</param>
public sealed record TokenTrace(int Steps, double[] Temperatures, double[] Full, double[] Captured)
{
    /// <summary>The full feature row of a step at one of the temperatures.</summary>
    public ReadOnlySpan<double> FullRow(int step, int temperature) =>
        Full.AsSpan((step * Temperatures.Length + temperature) * TokenFeatures.FullCount, TokenFeatures.FullCount);

    /// <summary>The captured feature row of a step at one of the temperatures.</summary>
    public ReadOnlySpan<double> CapturedRow(int step, int temperature) =>
        Captured.AsSpan((step * Temperatures.Length + temperature) * TokenFeatures.CapturedCount, TokenFeatures.CapturedCount);
}
