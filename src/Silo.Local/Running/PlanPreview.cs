using Silo.Experiments.Plan;
using Silo.Experiments.Spec;
using Silo.Local.Boards;
using Silo.Local.Models;

namespace Silo.Local.Running;

/// <summary>What a run would take, without running it.</summary>
public static class PlanPreview
{
    private const int Tokens = 24;
    private const int Rows = 48;

    /// <summary>Estimates a plan; with a model, its speed is measured on the first tokens of the first prompts.</summary>
    /// <param name="spec">The spec, its prompts read.</param>
    /// <param name="model">The model, or null for an estimate without time.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public static async Task<PlanEstimate> EstimateAsync(ExperimentSpec spec, LocalModel? model, TimeProvider time, CancellationToken cancellationToken)
    {
        var plan = new ExperimentPlan(spec);
        var measures = RunBoard.Create(spec, spec.ReferenceTemperatures).Catalog.Measures.Count;
        if (model is null) return PlanEstimate.Of(plan, measures, null);
        var trial = new ExperimentPlan(spec with { MaxTokens = Math.Min(Tokens, spec.MaxTokens) });
        var prompts = Math.Min(plan.Prompts, Math.Max(1, Rows / plan.Rows));
        var rows = Enumerable.Range(0, Math.Min(plan.Rows, Rows)).ToArray();
        var engine = model.Engine;
        var start = time.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, prompts).Select(p => engine.GenerateAsync(trial.Request(p, rows), null, cancellationToken)));
        var seconds = time.GetElapsedTime(start).TotalSeconds;
        return PlanEstimate.Of(plan, measures, answers.Sum(a => a.Sum(r => r.Tokens.Length)) / Math.Max(seconds, 1e-6));
    }
}
