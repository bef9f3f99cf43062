using System.Collections.Concurrent;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Inference;
using Silo.Core;
using Silo.Experiments.Generation;
using Silo.Experiments.Measures;
using Silo.Experiments.Plan;
using Silo.Experiments.Spec;

namespace Silo.Cluster.Inference;

/// <summary>
/// The process's one engine and what its answers are reduced to. Owns nothing but the engine: grains come and go.
/// </summary>
/// <param name="engine">The engine; mixes the rows of all calls.</param>
/// <param name="model">Name under which the model is served.</param>
/// <param name="device">Kind of device, <c>cpu</c> or <c>cuda</c>.</param>
public sealed class EngineHost(IGenerationEngine engine, string model, string device)
{
    internal const int MostCatalogs = 64;
    private readonly ConcurrentDictionary<string, (ExperimentSpec Spec, MeasureCatalog Catalog)> _known = new(StringComparer.Ordinal);

    /// <summary>How many specs are known at present.</summary>
    internal int Count => _known.Count;

    /// <summary>Fingerprint of the engine.</summary>
    public string Fingerprint => engine.Fingerprint;

    /// <summary>What the host says of itself in its silo metadata, for placement.</summary>
    public Dictionary<string, string> Metadata => new()
    {
        [EnginePlacementStrategy.Model] = model,
        [EnginePlacementStrategy.Device] = device,
        [EnginePlacementStrategy.Engine] = InferenceKeys.HashOf(engine.Fingerprint),
    };

    /// <summary>Makes texts and reduces them: nothing but records leaves the process.</summary>
    /// <exception cref="SiloException">The request is not valid, or the prompt cannot be used.</exception>
    /// <exception cref="EngineBusyException">The queue is full.</exception>
    public async Task<IReadOnlyList<TextMessage>> GenerateAsync(GenerateMessage message, CancellationToken cancellationToken)
    {
        var (spec, catalog) = Read(message.Spec);
        var plan = new ExperimentPlan(spec with { Prompts = [new Prompt(message.PromptId, message.Prompt)], PromptsFile = null });
        if (message.Rows.Count == 0 || message.Rows.Any(row => (uint)row >= (uint)plan.Rows))
            throw new SiloException($"rows [{string.Join(',', message.Rows)}]: expected rows of the prompt's {plan.Rows}");
        var results = await engine.GenerateAsync(plan.Request(0, message.Rows), null, cancellationToken);
        return [.. results.Zip(message.Rows, (result, row) => ToMessage(row, catalog.Reduce(result, spec.Traces)))];
    }

    private static TextMessage ToMessage(int row, GenerationRecord record) => new()
    {
        Row = row,
        Tokens = record.Tokens,
        Text = record.Text,
        Stopped = record.Finish == FinishReason.Stop,
        Measures = record.Measures,
        FeatureHash = record.FeatureHash,
        Engine = record.Engine,
        Trace = record.Trace,
    };

    // A spec is at most some kilobytes and few are open at once; if they are not, the cache begins anew.
    private (ExperimentSpec Spec, MeasureCatalog Catalog) Read(string json)
    {
        if (_known.TryGetValue(json, out var read)) return read;
        if (_known.Count >= MostCatalogs) _known.Clear();
        var spec = SpecReader.Parse(json, "spec");
        return _known[json] = (spec, MeasureCatalog.For(MeasureCatalogOptions.Of(spec)));
    }
}
