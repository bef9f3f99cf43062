using Silo.Experiments.Spec;

namespace Silo.Experiments.Plan;

/// <summary>What a plan will take at most, before it is run.</summary>
/// <param name="Prompts">Number of prompts.</param>
/// <param name="Generations">Number of texts.</param>
/// <param name="Tokens">Tokens if every text reaches the limit.</param>
/// <param name="Bytes">Bytes on disk then, estimated.</param>
/// <param name="Time">Time then, or null where the speed is unknown.</param>
public sealed record PlanEstimate(int Prompts, long Generations, long Tokens, long Bytes, TimeSpan? Time)
{
    private const int BytesPerText = 600;
    private const int BytesPerToken = 9;
    private const int TraceBytesPerTokenAndTemperature = 110;

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
        return new PlanEstimate(plan.Prompts, plan.Count, tokens, bytes,
            tokensPerSecond is > 0 ? TimeSpan.FromSeconds(Math.Min(tokens / tokensPerSecond.Value, 1e9)) : null);
    }
}
