using Silo.Experiments.Board;

namespace Silo.Reporting.Page;

/// <summary>A gold in words.</summary>
internal static class GoldWords
{
    /// <summary>The gold as a phrase; a heuristic is called one wherever its numbers stand.</summary>
    public static string Phrase(GoldSummary gold)
    {
        if (gold.Heuristic) return "heuristic judge, which is no person";
        var at = gold.Name.LastIndexOf('/') + 1;
        var rule = gold.Name[at..];
        var who = gold.Panel is { Length: > 0 } panel ? $"of the panel {panel}, " : "";
        var raters = Numbers.Count(gold.Raters, "rater");
        return rule switch
        {
            "mean_rank" => $"mean rank {who}{raters}",
            "pairwise_majority" => $"pairwise majority {who}{raters}",
            _ when rule.StartsWith("rater:", StringComparison.Ordinal) => $"rater {rule["rater:".Length..]}",
            _ => gold.Name,
        };
    }

    /// <summary>The gold with its n, as it stands at every chart.</summary>
    public static string Caption(GoldSummary gold) =>
        $"gold {gold.Name}: {Phrase(gold)}; {Numbers.Count(gold.NRated, "rated prompt")}";
}
