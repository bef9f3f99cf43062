using Silo.Experiments.Board;
using Silo.Experiments.Generation;
using Silo.Experiments.Measures;
using Silo.Experiments.Ranking;
using Silo.Experiments.Spec;
using Silo.Reporting.Model;
using Silo.Reporting.Texts;

namespace Silo.Reporting.Build;

/// <summary>What a report is made from; whoever reads the run directory supplies it.</summary>
public sealed record ReportSource
{
    /// <summary>The experiment.</summary>
    public required ExperimentSpec Spec { get; init; }

    /// <summary>The experiment's file, as it was accepted.</summary>
    public required string SpecFile { get; init; }

    /// <summary>The model, as a person would name it.</summary>
    public required string Model { get; init; }

    /// <summary>Fingerprint of what made the texts.</summary>
    public required string Engine { get; init; }

    /// <summary>The run's digest in hex, or empty while it is not finished.</summary>
    public required string Digest { get; init; }

    /// <summary>Versions of what took part (Silo, runtime, processor), name and value.</summary>
    public IReadOnlyList<Fact> Versions { get; init; } = [];

    /// <summary>What failed, by reason.</summary>
    public IReadOnlyList<Failure> Failures { get; init; } = [];

    /// <summary>Commands that make the run and the report again.</summary>
    public IReadOnlyList<string> Commands { get; init; } = [];

    /// <summary>The measures of the experiment.</summary>
    public required MeasureCatalog Catalog { get; init; }

    /// <summary>What the board says.</summary>
    public required BoardTable Board { get; init; }

    /// <summary>The finished texts, in the order of the plan.</summary>
    public required IReadOnlyList<GenerationRecord> Generations { get; init; }

    /// <summary>All rank events.</summary>
    public IReadOnlyList<RankEvent> Ranks { get; init; } = [];

    /// <summary>Unpacked traces of at least the texts that <see cref="ShownTexts.Choose"/> chose; absent where none were kept.</summary>
    public IReadOnlyDictionary<GenerationKey, TokenTrace> Traces { get; init; } = new Dictionary<GenerationKey, TokenTrace>();

    /// <summary>The replayed steps of those texts; absent where the model was not at hand.</summary>
    public IReadOnlyDictionary<GenerationKey, IReadOnlyList<TokenDetail>> Details { get; init; } =
        new Dictionary<GenerationKey, IReadOnlyList<TokenDetail>>();
}
