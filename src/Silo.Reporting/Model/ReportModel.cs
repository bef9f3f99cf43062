using Silo.Experiments.Board;
using Silo.Experiments.Measures;

namespace Silo.Reporting.Model;

/// <summary>
/// All that the page shows, and nothing else: page and tables are pure functions of it. Undefined numbers are NaN here
/// and null in the board's table.
/// </summary>
public sealed record ReportModel
{
    /// <summary>What was run, with what, and what failed (the head of the page and part 9).</summary>
    public required RunFacts Run { get; init; }

    /// <summary>What the correlation board says (parts 1, 2, 5, 6, 7). Its first gold leads the page.</summary>
    public required BoardTable Board { get; init; }

    /// <summary>What is declared of each measure, in the catalog's order.</summary>
    public required IReadOnlyList<Measure> Measures { get; init; }

    /// <summary>Part 3: how measures move with temperature.</summary>
    public required IReadOnlyList<TemperaturePanel> Panels { get; init; }

    /// <summary>Part 4: cumulative mass of p and q by rank.</summary>
    public required MassCurves Mass { get; init; }

    /// <summary>Part 7: the raters.</summary>
    public required RaterSection Raters { get; init; }

    /// <summary>Part 8: the sampled texts.</summary>
    public required TextSection Texts { get; init; }
}
