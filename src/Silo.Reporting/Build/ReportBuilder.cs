using Silo.Experiments.Generation;
using Silo.Reporting.Model;

namespace Silo.Reporting.Build;

/// <summary>Makes the model of the page from what a run holds. Pure: the same source gives the same page.</summary>
public static class ReportBuilder
{
    /// <summary>Makes the model.</summary>
    public static ReportModel Build(ReportSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var raters = new Raters(source);
        return new ReportModel
        {
            Run = Facts(source),
            Board = source.Board,
            Measures = source.Catalog.Measures,
            Panels = Panels.Build(source),
            Mass = Masses.Build(source),
            Raters = raters.Build(),
            Texts = TextChoice.Build(source, raters),
        };
    }

    private static RunFacts Facts(ReportSource source)
    {
        var spec = source.Spec;
        return new RunFacts
        {
            Name = spec.Name,
            Model = source.Model,
            Digest = source.Digest,
            Engine = source.Engine,
            Prompts = spec.Prompts.Count,
            Temperatures = [.. spec.Temperatures.Order()],
            Samples = spec.Samples,
            MaxTokens = spec.MaxTokens,
            Texts = source.Generations.Count,
            Tokens = source.Generations.Sum(g => (long)g.Tokens.Length),
            Seed = spec.Seed,
            Processors = Processors(spec.Sampler),
            CaptureK = spec.CaptureK,
            ReferenceTemperatures = source.Catalog.Options.ReferenceTemperatures,
            Versions = source.Versions,
            Failures = source.Failures,
            Spec = source.SpecFile,
            Commands = source.Commands,
        };
    }

    private static List<string> Processors(SamplerOptions sampler)
    {
        var truncations = new List<string>();
        if (sampler.TopK > 0) truncations.Add(FormattableString.Invariant($"top-k {sampler.TopK}"));
        if (sampler.TopP < 1) truncations.Add(FormattableString.Invariant($"top-p {sampler.TopP:R}"));
        if (sampler.MinP > 0) truncations.Add(FormattableString.Invariant($"min-p {sampler.MinP:R}"));
        return sampler.Order == TemperatureOrder.BeforeTruncation
            ? ["temperature", .. truncations, "draw"]
            : [.. truncations, "temperature", "draw"];
    }
}
