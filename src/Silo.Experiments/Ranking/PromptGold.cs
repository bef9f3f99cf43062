namespace Silo.Experiments.Ranking;

/// <summary>What a gold is made from.</summary>
public enum GoldKind
{
    /// <summary>Mid-ranks of the mean over complete raters of their mid-ranks: Borda. Any number of raters.</summary>
    MeanRank,

    /// <summary>Mid-ranks by how many texts a text beats in majority votes of pairs, less how many beat it: Copeland. At least three raters.</summary>
    PairwiseMajority,

    /// <summary>One rater's own ranks.</summary>
    Rater,
}

/// <summary>
/// Names a gold: <c>mean_rank</c>, <c>pairwise_majority</c>, <c>rater:NAME</c>; where ranks name a panel, the first two
/// are of that panel only: <c>humans/mean_rank</c>. Raters of different panels are never averaged together.
/// </summary>
/// <param name="Kind">What it is made from.</param>
/// <param name="Panel">The panel whose ranks it uses, or null for ranks without one.</param>
/// <param name="Rater">The rater, for <see cref="GoldKind.Rater"/>.</param>
public sealed record GoldName(GoldKind Kind, string? Panel, string? Rater = null)
{
    /// <summary>The name in every output.</summary>
    public override string ToString() => Kind switch
    {
        GoldKind.Rater => "rater:" + Rater,
        GoldKind.MeanRank => Panel is null ? "mean_rank" : Panel + "/mean_rank",
        _ => Panel is null ? "pairwise_majority" : Panel + "/pairwise_majority",
    };
}

/// <summary>A gold's ranking of one prompt's texts. The sign of ranks (1 = best) is turned here, and nowhere else.</summary>
/// <param name="Name">Which gold.</param>
/// <param name="Items">Indices, ascending, of the ranked ones among the prompt's items.</param>
/// <param name="Merit">
/// For each of them, centred mid-ranks of merit (<see cref="Core.Statistics.MidRanks.Centred"/>): larger is better.
/// </param>
/// <param name="Raters">How many raters it is made from.</param>
/// <param name="Cycle">Whether three texts beat each other in a circle (pairwise majority only).</param>
public sealed record PromptGold(GoldName Name, int[] Items, int[] Merit, int Raters, bool Cycle)
{
    /// <summary>Whether it ties all of its texts, so that nothing can correlate with it.</summary>
    public bool IsConstant => Array.TrueForAll(Merit, m => m == Merit[0]);

    /// <summary>Whether it ties two of its texts.</summary>
    public bool HasTie => Merit.Distinct().Count() < Merit.Length;

    /// <summary>Whether both are the same gold and rank the same texts alike.</summary>
    public bool IsSame(PromptGold other) => Name == other.Name && Cycle == other.Cycle && Raters == other.Raters
        && Items.AsSpan().SequenceEqual(other.Items) && Merit.AsSpan().SequenceEqual(other.Merit);
}
