using Silo.Experiments.Spec;

namespace Silo.Experiments.Plan;

/// <summary>What a plan will take at most, before it is run.</summary>
/// <param name="Prompts">Number of prompts.</param>
/// <param name="Generations">Number of texts.</param>
/// <param name="Tokens">Tokens if every text reaches the limit.</param>
/// <param name="Bytes">Bytes that the texts, their measures and traces take then, estimated.</param>
/// <param name="TableBytes">Bytes of the table, its files and the report, which hardly grow with the texts.</param>
/// <param name="Time">Time then, or null where the speed is unknown.</param>
public sealed record PlanEstimate(int Prompts, long Generations, long Tokens, long Bytes, long TableBytes, TimeSpan? Time)
{
    private const int BytesPerText = 600;
    private const int BytesPerToken = 12;
    private const int TraceBytesPerTokenAndTemperature = 110;

    // The table as it is stored, its CSV files and the report have a line for each measure and gold, with a coefficient for each pair of temperatures.
    private const int TableBytesPerMeasureAndGold = 6_700;
    private const int EmptyTableBytes = 300_000;

    // The report shows some prompts' texts, each token with the tops of its distributions, where traces are kept.
    private const int PromptsShown = 6;
    private const int TokensShown = 1000;
    private const int BytesPerTokenShown = 390;

    /// <summary>Estimates a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="measures">Measures kept per text (8 bytes each).</param>
    /// <param name="tokensPerSecond">Speed of the engine with its batches filled, or null where unknown.</param>
    public static PlanEstimate Of(ExperimentPlan plan, int measures, double? tokensPerSecond)
    {
        var traced = plan.Spec.Traces switch
        {
            TraceKeeping.None => 0,
            TraceKeeping.Own => 1,
            _ => 1 + plan.Spec.ReferenceTemperatures.Count,
        };
        var tokens = plan.Count * plan.Spec.MaxTokens;
        var bytes = plan.Count * (BytesPerText + 8L * measures) + tokens * (BytesPerToken + TraceBytesPerTokenAndTemperature * traced);
        // Ranking files give the mean rank and at least one more.
        var golds = (plan.Spec.Gold.HeuristicJudge ? 1 : 0) + (plan.Spec.Gold.Ranks.Count > 0 ? 2 : 0);
        var shown = traced == 0 ? 0 : (long)Math.Min(plan.Prompts, PromptsShown) * plan.Rows * Math.Min(plan.Spec.MaxTokens, TokensShown);
        var tables = EmptyTableBytes + (long)TableBytesPerMeasureAndGold * measures * golds + BytesPerTokenShown * shown;
        return new PlanEstimate(plan.Prompts, plan.Count, tokens, bytes, tables,
            tokensPerSecond is > 0 ? TimeSpan.FromSeconds(Math.Min(tokens / tokensPerSecond.Value, 1e9)) : null);
    }
}
