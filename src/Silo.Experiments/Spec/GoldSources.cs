namespace Silo.Experiments.Spec;

/// <summary>Where the ranks that measures are correlated with come from.</summary>
public sealed record GoldSources
{
    /// <summary>
    /// Whether the heuristic judge ranks each complete prompt. It orders texts by simple signals: it shows a whole
    /// result where nobody has judged yet, and is no finding.
    /// </summary>
    public bool HeuristicJudge { get; init; } = true;

    /// <summary>Ranking files (<c>prompt,item,rater,rank[,panel]</c>) that are read when the run starts; relative to the experiment file.</summary>
    public IReadOnlyList<string> Ranks { get; init; } = [];
}
