namespace Silo.Reporting.Model;

/// <summary>Part 4: cumulative mass of p and q by rank, one pair of curves a temperature.</summary>
public sealed record MassCurves
{
    /// <summary>Where the curves come from, in one sentence.</summary>
    public required string Basis { get; init; }

    /// <summary>
    /// Whether the curves are means over steps at fixed ranks (from replayed steps); otherwise they are the medians over
    /// texts of the widths at fixed masses, which is a different average.
    /// </summary>
    public required bool FromSteps { get; init; }

    /// <summary>The curves, ascending by temperature; empty where nothing is known.</summary>
    public required IReadOnlyList<MassCurve> Curves { get; init; }
}

/// <summary>The curves of one temperature.</summary>
public sealed record MassCurve
{
    /// <summary>The temperature.</summary>
    public required double Temperature { get; init; }

    /// <summary>Ranks of p's points, ascending.</summary>
    public required double[] RanksP { get; init; }

    /// <summary>Cumulative p-mass at them.</summary>
    public required double[] MassP { get; init; }

    /// <summary>Ranks of q's points, ascending.</summary>
    public required double[] RanksQ { get; init; }

    /// <summary>Cumulative q-mass at them, in p's order of tokens.</summary>
    public required double[] MassQ { get; init; }

    /// <summary>Median size of p's top-90 % set.</summary>
    public required double TopSet { get; init; }

    /// <summary>Mean leak over steps: the mass of q outside each step's own top-90 % set.</summary>
    public required double Leak { get; init; }

    /// <summary>Number of steps (or of texts where not from steps).</summary>
    public required int N { get; init; }
}
