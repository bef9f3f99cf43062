using Silo.Experiments.Campaign;
using Silo.Experiments.Spec;
using Silo.Local.Models;

namespace Silo.Local.Running;

/// <summary>What is run, where, and how.</summary>
public sealed record RunRequest
{
    /// <summary>The spec, its prompts read.</summary>
    public required ExperimentSpec Spec { get; init; }

    /// <summary>The run directory.</summary>
    public required string Directory { get; init; }

    /// <summary>The model; the caller disposes it.</summary>
    public required LocalModel Model { get; init; }

    /// <summary>Ranking files to take in.</summary>
    public IReadOnlyList<string> RankFiles { get; init; } = [];

    /// <summary>Begin anew, whatever is there.</summary>
    public bool Fresh { get; init; }

    /// <summary>Try failed texts again.</summary>
    public bool RetryFailed { get; init; }

    /// <summary>Whether to write the report at the end.</summary>
    public bool WriteReport { get; init; } = true;

    /// <summary>Prompts in flight at most; null chooses enough to fill the engine's batches.</summary>
    public int? Window { get; init; }

    /// <summary>How patient prompt runs are. An ask in the same process cannot get lost, so none times out by default.</summary>
    public PromptRunOptions Patience { get; init; } = new() { AskTimeout = null };

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
