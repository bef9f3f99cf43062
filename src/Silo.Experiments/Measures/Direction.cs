namespace Silo.Experiments.Measures;

/// <summary>Which way a measure is expected to go with better ranks, declared before any rank is seen.</summary>
public enum Direction
{
    /// <summary>Larger values are expected to go with better ranks.</summary>
    Larger,

    /// <summary>Smaller values are expected to go with better ranks.</summary>
    Lower,
}

/// <summary>What a measure is computed from.</summary>
[Flags]
public enum MeasureNeeds
{
    /// <summary>Nothing but what a file says of it: a column of a user's own.</summary>
    None = 0,

    /// <summary>The text.</summary>
    Text = 1,

    /// <summary>The model's distribution p at every step.</summary>
    Distribution = 2,

    /// <summary>The temperature at which p becomes q: the text's own, or a reference temperature.</summary>
    Temperature = 4,

    /// <summary>The tokens that were sampled.</summary>
    Tokens = 8,

    /// <summary>The whole vocabulary: it cannot be had where only the top K logits are known.</summary>
    WholeRow = 16,
}

/// <summary>How the values of a text's steps become one number (SCHEMA 3).</summary>
public enum Aggregate
{
    /// <summary>Arithmetic mean.</summary>
    Mean,

    /// <summary>Median.</summary>
    Median,

    /// <summary>10th percentile, linear interpolation.</summary>
    P10,

    /// <summary>90th percentile, linear interpolation.</summary>
    P90,

    /// <summary>Smallest value.</summary>
    Min,

    /// <summary>Largest value.</summary>
    Max,

    /// <summary>Population standard deviation.</summary>
    Std,
}
