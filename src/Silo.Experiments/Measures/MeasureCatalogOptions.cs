using Silo.Experiments.Spec;

namespace Silo.Experiments.Measures;

/// <summary>What decides which measures an experiment has.</summary>
public sealed record MeasureCatalogOptions
{
    /// <summary>K of the captured features; it changes their meaning, not their names. At least 1.</summary>
    public int CaptureK { get; init; } = 200;

    /// <summary>Temperatures at which every text's features are computed as well, each &gt; 0, without repetition.</summary>
    public IReadOnlyList<double> ReferenceTemperatures { get; init; } = [];

    /// <summary>Names of the primary family, or empty for the default one. Declare it before ranks are seen.</summary>
    public IReadOnlyList<string> Primary { get; init; } = [];

    /// <summary>What an experiment's spec says of its measures.</summary>
    public static MeasureCatalogOptions Of(ExperimentSpec spec) => new()
    {
        CaptureK = spec.CaptureK,
        ReferenceTemperatures = spec.ReferenceTemperatures,
        Primary = spec.PrimaryMeasures ?? [],
    };
}
