using Silo.Experiments.Generation;

namespace Silo.Experiments.Spec;

/// <summary>
/// What an experiment is: everything its texts and its table depend on. Read from one JSON file by
/// <see cref="SpecReader"/>; every property has the default that is written here.
/// </summary>
public sealed record ExperimentSpec
{
    /// <summary>
    /// The experiment's name: letters, digits, <c>.</c>, <c>_</c>, <c>-</c>, at most 100, beginning with a letter or digit.
    /// The texts' random streams are derived from it.
    /// </summary>
    public string Name { get; init; } = "experiment";

    /// <summary>Seed of the texts' random streams and of every resampling.</summary>
    public ulong Seed { get; init; }

    /// <summary>Path of the model, relative to the experiment file; null is the model that comes with Silo. No part of the spec's identity: what made a text is in its engine's fingerprint.</summary>
    public string? Model { get; init; }

    /// <summary>The prompts, at least one, ids distinct. Empty as long as <see cref="PromptsFile"/> was not read.</summary>
    public IReadOnlyList<Prompt> Prompts { get; init; } = [];

    /// <summary>The .txt or .jsonl file that the prompts are in (relative to the experiment file), or null where they are inline.</summary>
    public string? PromptsFile { get; init; }

    /// <summary>Sampling temperatures, each finite and &gt; 0, distinct; their order is the plan's.</summary>
    public IReadOnlyList<double> Temperatures { get; init; } = [0.3, 0.8, 1.5];

    /// <summary>Texts per prompt and temperature, 1 to 10,000.</summary>
    public int Samples { get; init; } = 1;

    /// <summary>Most tokens of a text, 1 to 1,000,000.</summary>
    public int MaxTokens { get; init; } = 200;

    /// <summary>How tokens are drawn.</summary>
    public SamplerOptions Sampler { get; init; } = new();

    /// <summary>K of the captured features, 1 to 1,000,000.</summary>
    public int CaptureK { get; init; } = 200;

    /// <summary>Temperatures at which every text's features are computed as well: the twins that know of its own temperature only through the prefix.</summary>
    public IReadOnlyList<double> ReferenceTemperatures { get; init; } = [1.5];

    /// <summary>The measures declared for confirmation beforehand; null is the default family. All others are exploratory.</summary>
    public IReadOnlyList<string>? PrimaryMeasures { get; init; }

    /// <summary>What is kept of the token traces.</summary>
    public TraceKeeping Traces { get; init; } = TraceKeeping.Own;

    /// <summary>Where ranks come from.</summary>
    public GoldSources Gold { get; init; } = new();
}
