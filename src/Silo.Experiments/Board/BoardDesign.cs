using Silo.Experiments.Measures;
using Silo.Experiments.Spec;

namespace Silo.Experiments.Board;

/// <summary>Everything about a board that is declared before a rank is seen.</summary>
public sealed record BoardDesign
{
    private const int MostTemperatures = 10;

    /// <summary>The design of an experiment's board, wherever it runs.</summary>
    /// <param name="spec">The experiment; its prompts are not looked at.</param>
    /// <param name="measures">Its measures.</param>
    public static BoardDesign Of(ExperimentSpec spec, IReadOnlyList<Measure> measures) => new()
    {
        Measures = measures,
        // More temperatures than the board tells apart: pairs are counted without telling which.
        Temperatures = spec.Temperatures.Count <= MostTemperatures ? [.. spec.Temperatures.Order()] : [],
        Seed = spec.Seed,
    };

    /// <summary>The measures, in the order of <see cref="BoardText.Measures"/>. Those marked primary are the family that Holm's adjustment counts.</summary>
    public required IReadOnlyList<Measure> Measures { get; init; }

    /// <summary>The temperatures whose pairs are told apart, ascending; others count among all pairs only. At most ten, or none.</summary>
    public IReadOnlyList<double> Temperatures { get; init; } = [];

    /// <summary>Seed of the order of prompts, of the halves, and of the resamples.</summary>
    public ulong Seed { get; init; }

    /// <summary>Level of all intervals; 1 - level is the error of verdicts.</summary>
    public double Level { get; init; } = 0.95;

    /// <summary>1 - <see cref="Level"/>, without the last bits that the subtraction leaves.</summary>
    internal double Alpha => Math.Round(1 - Level, 12);

    /// <summary>A measure is not better where the interval of its difference to some control ends below this.</summary>
    public double Margin { get; init; } = 0.05;

    /// <summary>Bootstrap resamples.</summary>
    public int Resamples { get; init; } = 2000;

    /// <summary>Random sign vectors of a sign-flip test where there are too many to enumerate.</summary>
    public int SignFlips { get; init; } = 10000;

    /// <summary>From how many prompts on resamples are drawn with Poisson weights, keyed by seed, prompt and resample.</summary>
    public int PoissonFrom { get; init; } = 2000;

    /// <summary>Measures and controls whose running correlation is followed; a short declared list, never "the leaders". Empty: the controls and the first primary measures.</summary>
    public IReadOnlyList<string> Running { get; init; } = [];
}
