using Silo.Models;

namespace Silo.Cli.Results;

/// <summary>What <c>silo bench engine</c> measured.</summary>
internal sealed record EngineBenchResult(string Model, string Engine, int VocabularySize, int Threads, int Steps, IReadOnlyList<EngineLine> Rows);

/// <summary>One number of rows. Times are milliseconds a step; null where there is nothing between runtime and host.</summary>
internal sealed record EngineLine(int Rows, double TokensPerSecond, double Milliseconds, double MillisecondsWithFeatures, double MillisecondsWithFeaturesAtThree,
    long CopiedBytes, double? CopyMilliseconds, double? SamplingMilliseconds, double? RuntimeSamplingMilliseconds)
{
    public static EngineLine Of(EngineTiming timing) => new(timing.Rows, timing.TokensPerSecond, timing.Step * 1e3, timing.StepWithFeatures * 1e3, timing.StepWithThree * 1e3,
        timing.CopiedBytes, timing.Copies * 1e3, timing.OwnSampling * 1e3, timing.RuntimeSampling * 1e3);
}
