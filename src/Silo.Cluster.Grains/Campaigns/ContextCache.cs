using System.Collections.Concurrent;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Correlations;
using Silo.Core;
using Silo.Experiments.Board;
using Silo.Experiments.Measures;
using Silo.Experiments.Plan;
using Silo.Experiments.Spec;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>What the grains of one silo know of an experiment.</summary>
/// <param name="Shared">As the experiment's grain tells it.</param>
/// <param name="Spec">Its spec, without prompts.</param>
/// <param name="Catalog">Its measures.</param>
/// <param name="Prompts">The ids of its prompts, read when first asked for.</param>
internal sealed record ExperimentContext(CampaignContext Shared, ExperimentSpec Spec, MeasureCatalog Catalog, PromptIds Prompts)
{
    /// <summary>What the experiment's board was declared with.</summary>
    public BoardDesign Design { get; } = BoardDesign.Of(Spec, Catalog.Measures);

    /// <summary>Panels that the experiment is known to have: <see cref="Limits.MaxPanels"/> at most.</summary>
    public ConcurrentDictionary<string, bool> Panels { get; } = new(StringComparer.Ordinal);

    /// <summary>A text as the board sees it.</summary>
    public BoardText TextOf(ShardText text) => BoardText.Of(text.Item, text.Temperature, text.Measures, Catalog);

    /// <summary>The plan of one prompt: its rows are those that the whole plan has for it.</summary>
    public ExperimentPlan PlanOf(string promptId, string text) =>
        new(Spec with { Prompts = [new Prompt(promptId, text)], PromptsFile = null });
}

/// <summary>
/// Asks each experiment once per silo for what never changes about it, so that a hundred thousand prompts do not.
/// </summary>
internal sealed class ContextCache(IGrainFactory grains)
{
    // Twice as many as are open at once: some are ranked when they are over. If there are more, the cache begins anew.
    internal const int MostExperiments = 2 * Limits.MaxOpenExperiments;
    private readonly ConcurrentDictionary<string, Task<ExperimentContext>> _known = new(StringComparer.Ordinal);

    /// <summary>How many experiments are known at present.</summary>
    internal int Count => _known.Count;

    /// <summary>The experiment's context.</summary>
    /// <exception cref="SiloException">There is no such experiment.</exception>
    public async Task<ExperimentContext> GetAsync(string experiment)
    {
        if (!_known.TryGetValue(experiment, out var asked))
        {
            if (_known.Count >= MostExperiments) _known.Clear();
            asked = _known.GetOrAdd(experiment, AskAsync);
        }
        try
        {
            return await asked;
        }
        catch (Exception)
        {
            // A failure is not remembered: the experiment may be submitted later, the call may have timed out.
            _known.TryRemove(KeyValuePair.Create(experiment, asked));
            throw;
        }
    }

    /// <summary>Reads a spec that comes without its prompts (<c>"prompts"</c> names a file that is not opened).</summary>
    /// <exception cref="SiloException">It is no spec.</exception>
    public static ExperimentSpec ParseSpec(string json) => SpecReader.Parse(json, "spec");

    /// <summary>The catalog of a spec.</summary>
    public static MeasureCatalog CatalogOf(ExperimentSpec spec) => MeasureCatalog.For(MeasureCatalogOptions.Of(spec));

    private async Task<ExperimentContext> AskAsync(string experiment)
    {
        var shared = await grains.GetGrain<IExperimentGrain>(experiment).Context()
            ?? throw new SiloException($"there is no experiment '{experiment}'");
        var spec = ParseSpec(shared.Spec);
        return new ExperimentContext(shared, spec, CatalogOf(spec), new PromptIds(grains, experiment, shared.Prompts));
    }
}
