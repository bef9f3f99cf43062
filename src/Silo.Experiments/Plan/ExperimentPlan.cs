using Silo.Core;
using Silo.Experiments.Generation;
using Silo.Experiments.Spec;

namespace Silo.Experiments.Plan;

/// <summary>
/// The texts of an experiment in their order: prompt after prompt, in each its temperatures in the spec's order, in each
/// the samples. Nothing is listed: any text, prompt or request is made from its number, however many there are.
/// </summary>
public sealed class ExperimentPlan
{
    private readonly Dictionary<string, int> _promptIndex;

    /// <summary>The plan of a spec whose prompts are read.</summary>
    /// <exception cref="SiloException">The spec has no prompts.</exception>
    public ExperimentPlan(ExperimentSpec spec)
    {
        if (spec.Prompts.Count == 0) throw new SiloException($"{spec.Name}: prompts: expected at least one prompt, found none");
        Spec = spec;
        _promptIndex = new Dictionary<string, int>(spec.Prompts.Count, StringComparer.Ordinal);
        for (var i = 0; i < spec.Prompts.Count; i++) _promptIndex.Add(spec.Prompts[i].Id, i);
    }

    /// <summary>The spec.</summary>
    public ExperimentSpec Spec { get; }

    /// <summary>Number of prompts.</summary>
    public int Prompts => Spec.Prompts.Count;

    /// <summary>Texts per prompt: temperatures x samples.</summary>
    public int Rows => Spec.Temperatures.Count * Spec.Samples;

    /// <summary>Number of texts.</summary>
    public long Count => (long)Prompts * Rows;

    /// <summary>The key of one row of a prompt.</summary>
    /// <param name="prompt">0-based number of the prompt.</param>
    /// <param name="row">0-based row, below <see cref="Rows"/>.</param>
    public GenerationKey Key(int prompt, int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        return new GenerationKey(Spec.Prompts[prompt].Id, Spec.Temperatures[row / Spec.Samples], row % Spec.Samples);
    }

    /// <summary>Number of a text in the whole plan: prompt * <see cref="Rows"/> + row.</summary>
    public long Number(int prompt, int row) => (long)prompt * Rows + row;

    /// <summary>The key of a text by its number in the whole plan.</summary>
    public GenerationKey Key(long number) => Key((int)(number / Rows), (int)(number % Rows));

    /// <summary>All keys in plan order.</summary>
    public IEnumerable<GenerationKey> Keys()
    {
        for (long number = 0; number < Count; number++) yield return Key(number);
    }

    /// <summary>0-based number of a prompt by its id, or -1.</summary>
    public int PromptIndex(string id) => _promptIndex.GetValueOrDefault(id, -1);

    /// <summary>0-based row of a key within its prompt, or -1 where the plan has no such text.</summary>
    public int Row(GenerationKey key)
    {
        for (var t = 0; t < Spec.Temperatures.Count; t++)
            if (Spec.Temperatures[t].Equals(key.Temperature))
                return (uint)key.Sample < (uint)Spec.Samples ? t * Spec.Samples + key.Sample : -1;
        return -1;
    }

    /// <summary>What an engine is asked for some rows of a prompt.</summary>
    /// <param name="prompt">0-based number of the prompt.</param>
    /// <param name="rows">Which rows.</param>
    public GenerationRequest Request(int prompt, IEnumerable<int> rows) => new()
    {
        Prompt = Spec.Prompts[prompt].Text,
        Rows = [.. rows.Select(row => Key(prompt, row)).Select(key => new GenerationRow(key, key.StreamKey(Spec.Name, Spec.Seed)))],
        MaxTokens = Spec.MaxTokens,
        Sampler = Spec.Sampler,
        CaptureK = Spec.CaptureK,
        ReferenceTemperatures = Spec.ReferenceTemperatures,
    };
}
