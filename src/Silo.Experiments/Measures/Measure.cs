using Silo.Core.Features;

namespace Silo.Experiments.Measures;

/// <summary>
/// One reference-free number of a text, and everything that must be said of it before a rank is seen: what it is,
/// where it comes from, and which way it is expected to go.
/// </summary>
public sealed record Measure
{
    /// <summary>The name in every output: <c>leak.mean</c>, <c>captured.leak@1.5.p90</c>, <c>gzip_ratio</c>.</summary>
    public required string Name { get; init; }

    /// <summary>A short phrase for tables and figures.</summary>
    public required string Title { get; init; }

    /// <summary>Which way it is expected to go with better ranks.</summary>
    public Direction Direction { get; init; } = Direction.Larger;

    /// <summary>The unit of its values: <c>tokens</c>, <c>nats</c>, <c>probability</c>, <c>ratio</c>, <c>bytes</c>; empty where unknown.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Smallest possible value; negative infinity where there is no bound.</summary>
    public double Minimum { get; init; } = double.NegativeInfinity;

    /// <summary>Largest possible value; positive infinity where there is no bound.</summary>
    public double Maximum { get; init; } = double.PositiveInfinity;

    /// <summary>Its definition in one line.</summary>
    public string Definition { get; init; } = "";

    /// <summary>Where it was proposed.</summary>
    public string Source { get; init; } = "";

    /// <summary>What it is computed from.</summary>
    public MeasureNeeds Needs { get; init; }

    /// <summary>Whether it belongs to the declared primary family by default; all others are exploratory.</summary>
    public bool Primary { get; init; }

    /// <summary>Whether it is one of the four baselines of the paper's headline contrast.</summary>
    public bool Baseline { get; init; }

    /// <summary>The token feature it aggregates, or null.</summary>
    public TokenFeature? Feature { get; init; }

    /// <summary>How the feature is aggregated, or null.</summary>
    public Aggregate? Aggregate { get; init; }

    /// <summary>Whether the feature is that of the captured top K, not of the whole row.</summary>
    public bool Captured { get; init; }

    /// <summary>
    /// The one temperature at which the feature is computed for every text, or null where it is the text's own. Such a
    /// twin is blind to T only in its formula: the text's prefix was still sampled at its own temperature.
    /// </summary>
    public double? ReferenceTemperature { get; init; }

    /// <summary>
    /// Another measure that ranks any texts exactly as this one does (or exactly reversed), or null: such a measure is
    /// never primary, for it would be counted twice.
    /// </summary>
    public string? SameOrderAs { get; init; }

    /// <summary>+1 where larger is expected to be better, -1 where lower is.</summary>
    public int Sign => Direction == Direction.Larger ? 1 : -1;

    /// <summary>A column of a user's own data, of which only the name and the expected direction are known.</summary>
    /// <param name="name">The column's name.</param>
    /// <param name="direction">Which way it is expected to go.</param>
    public static Measure OfColumn(string name, Direction direction = Direction.Larger) => new()
    {
        Name = name,
        Title = name,
        Direction = direction,
        Primary = true,
        Baseline = BaselineMeasures.Names.Contains(name),
        Source = "the features file",
    };
}
