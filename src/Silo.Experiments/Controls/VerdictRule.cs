using MathNet.Numerics.Distributions;
using Silo.Experiments.Board;

namespace Silo.Experiments.Controls;

/// <summary>
/// Better than the controls, not better, or undecided. Only controls count; baselines are contrasts that are shown.
/// </summary>
/// <remarks>
/// Both forms of each difference count, on the prompts where both are defined and with undefined counted as 0: a
/// measure is better if the largest p over controls and forms, Holm-adjusted over the primary family, is below
/// 1 - level, and every interval lies above 0 (sign flips take differences for symmetric; where a few large ones are
/// negative they are too generous, and the bootstrap is not); it is not better if for some control the intervals of
/// both forms end below the margin. Where a control is defined on fewer than <see cref="FewestPrompts"/> prompts, the
/// form with undefined counted as 0 speaks alone: the other could never be significant. A control that is
/// missing cannot be beaten and does not count; without any control, and with fewer than <see cref="FewestPrompts"/>
/// prompts, nothing is decided. The tests are for one look; who looks again and again has the confidence sequence.
/// </remarks>
internal static class VerdictRule
{
    /// <summary>With fewer prompts no sign-flip test can fall below 0.05.</summary>
    public const int FewestPrompts = 5;

    /// <summary>Power for which needed prompts are computed.</summary>
    public const double Power = 0.8;

    /// <summary>The largest p over the controls, or null where no control can be compared.</summary>
    public static double? LargestP(IEnumerable<Difference> differences)
    {
        double? largest = null;
        foreach (var difference in Comparable(differences))
            foreach (var form in Forms(difference))
                largest = Math.Max(largest ?? 0, form.P ?? 1);
        return largest;
    }

    /// <summary>The verdict and its reason.</summary>
    public static (Verdict Verdict, string Reason) Decide(IReadOnlyList<Difference> differences, double? adjustedP, BoardDesign design)
    {
        var controls = Comparable(differences).ToArray();
        if (controls.Length == 0 || adjustedP is not { } p) return (Verdict.Undecided, "there is no control to compare with");
        var prompts = controls.Max(d => d.UndefinedAsZero.N);
        if (prompts < FewestPrompts) return (Verdict.Undecided, $"only {prompts} rated prompts");
        var hardest = controls.MinBy(d => Forms(d).Min(form => form.Mean ?? 0))!;
        if (p < design.Alpha && controls.All(d => Forms(d).All(LiesAbove0)))
            return (Verdict.Better, $"its closest rival is {hardest.To}");
        var lost = controls.Where(d => d.Defined.N >= FewestPrompts && EndsBelow(d.Defined, design.Margin) && EndsBelow(d.UndefinedAsZero, design.Margin))
            .OrderBy(d => d.Defined.Mean).FirstOrDefault();
        if (lost is not null) return (Verdict.NotBetter, $"the interval of its difference to {lost.To} ends below {design.Margin:0.##}");
        return (Verdict.Undecided, $"its difference to {hardest.To} may be above or below 0");
    }

    /// <summary>
    /// About how many rated prompts a decision takes if mean and spread of the differences stay as they are, with
    /// power 0.8: better against a control needs ((z_(1-a/m) + z_0.8) sd / mean)² prompts, with a = 1 - level and m the
    /// size of the primary family (Holm's first step), and needs it against every control; not better needs
    /// ((z_(1-a/2) + z_0.8) sd / (margin - mean))² against one. The smaller of the two.
    /// </summary>
    /// <param name="differences">For each control that can be compared, its paired differences.</param>
    /// <param name="rated">Number of rated prompts.</param>
    /// <param name="family">Size of the primary family.</param>
    /// <param name="design">The board's design.</param>
    public static (int Prompts, Verdict For)? PromptsNeeded(IReadOnlyList<double[]> differences, int rated, int family, BoardDesign design)
    {
        var alpha = design.Alpha;
        double z = Normal.InvCDF(0, 1, Power), zBetter = Normal.InvCDF(0, 1, 1 - alpha / Math.Max(1, family)) + z,
            zNot = Normal.InvCDF(0, 1, 1 - alpha / 2) + z;
        double better = 0, notBetter = double.PositiveInfinity;
        foreach (var values in differences)
        {
            if (values.Length < 2) continue;
            var mean = values.Average();
            var deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1));
            var perDefined = (double)rated / values.Length;
            better = Math.Max(better, mean <= 0 ? double.PositiveInfinity : perDefined * Square(zBetter * deviation / mean));
            if (mean < design.Margin) notBetter = Math.Min(notBetter, perDefined * Square(zNot * deviation / (design.Margin - mean)));
        }
        var needed = Math.Min(better, notBetter);
        if (needed == 0 || !(needed < int.MaxValue)) return null;
        // Undecided with what there is, so it takes one more at least.
        return (Math.Max((int)Math.Ceiling(needed), rated + 1), better <= notBetter ? Verdict.Better : Verdict.NotBetter);
    }

    private static IEnumerable<Difference> Comparable(IEnumerable<Difference> differences) =>
        differences.Where(d => d.Kind == MeasureKind.Control && d.Defined.N > 0);

    private static PairedDifference[] Forms(Difference difference) =>
        difference.Defined.N >= FewestPrompts ? [difference.Defined, difference.UndefinedAsZero] : [difference.UndefinedAsZero];

    private static bool LiesAbove0(PairedDifference difference) => difference.Ci is { } ci && ci.Lower > 0;

    private static bool EndsBelow(PairedDifference difference, double margin) => difference.Ci is { } ci && ci.Upper < margin;

    private static double Square(double value) => value * value;
}
