using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using Silo.Core;
using Silo.Core.Features;

namespace Silo.Experiments.Measures;

/// <summary>
/// The measures of an experiment in a fixed order, which is the order of <see cref="Generation.GenerationRecord.Measures"/>:
/// full features, captured features, then for each reference temperature the full and the captured twins of the
/// features that depend on it (feature by feature, seven aggregates each), then baselines and measures of the text.
/// </summary>
public sealed partial class MeasureCatalog
{
    /// <summary>A catalog takes some 130 KB, and most experiments have the same one: that many are kept, and then all are let go.</summary>
    private const int MostKept = 16;

    private static readonly ConcurrentDictionary<string, MeasureCatalog> s_kept = new(StringComparer.Ordinal);
    private static readonly Aggregate[] s_aggregates = Enum.GetValues<Aggregate>();

    private readonly FrozenDictionary<string, int> _indexByName;

    private MeasureCatalog(MeasureCatalogOptions options)
    {
        Options = options;
        var measures = new List<Measure>();
        AddFeatures(measures, captured: false, reference: null);
        AddFeatures(measures, captured: true, reference: null);
        foreach (var temperature in options.ReferenceTemperatures)
        {
            AddFeatures(measures, captured: false, temperature);
            AddFeatures(measures, captured: true, temperature);
        }
        measures.AddRange(BaselineMeasures.All());
        Measures = WithPrimaries(measures, options);
        _indexByName = Measures.Index().ToFrozenDictionary(m => m.Item.Name, m => m.Index, StringComparer.Ordinal);
    }

    /// <summary>What the catalog was made for.</summary>
    public MeasureCatalogOptions Options { get; }

    /// <summary>All measures, in order.</summary>
    public IReadOnlyList<Measure> Measures { get; }

    /// <summary>The catalog of an experiment; experiments with the same options may share one.</summary>
    /// <exception cref="SiloException">A reference temperature is not positive or stands twice; a primary name is no measure; two of them rank alike.</exception>
    public static MeasureCatalog For(MeasureCatalogOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.CaptureK, 1);
        foreach (var temperature in options.ReferenceTemperatures)
        {
            if (!(temperature > 0 && double.IsFinite(temperature)))
                throw new SiloException($"reference temperature {Number(temperature)}: expected a number above 0");
            if (options.ReferenceTemperatures.Count(t => t == temperature) > 1)
                throw new SiloException($"reference temperature {Number(temperature)} stands twice");
        }
        var key = string.Join('\n', [Number(options.CaptureK), string.Join(' ', options.ReferenceTemperatures.Select(Number)), .. options.Primary]);
        if (s_kept.TryGetValue(key, out var kept)) return kept;
        if (s_kept.Count >= MostKept) s_kept.Clear();
        return s_kept[key] = new MeasureCatalog(options);
    }

    /// <summary>The index of a measure in <see cref="Measures"/>, or -1.</summary>
    public int IndexOf(string name) => _indexByName.GetValueOrDefault(name, -1);

    /// <summary>The default primary family: about 38 measures, no two of which rank all texts alike.</summary>
    /// <remarks>
    /// The mean of each full feature (the paper aggregates by the mean first), without <c>n95_q</c> (is width_q_95),
    /// <c>retained</c> (1 - leak) and what the baselines already are (entropy_p, margin_p, logp_x); the four baselines;
    /// three captured means, the form the paper must have used; distinct n-grams; four twins at the first reference temperature.
    /// </remarks>
    private static bool IsDefaultPrimary(Measure measure, double? firstReference) => measure switch
    {
        { SameOrderAs: not null } => false,
        { Feature: null } => measure.Primary,
        { Aggregate: not Aggregate.Mean } => false,
        { Captured: true, ReferenceTemperature: null } =>
            measure.Feature is TokenFeature.WidthQ95 or TokenFeature.Leak or TokenFeature.KlQP,
        { Captured: true } => false,
        { ReferenceTemperature: null } => true,
        _ => measure.ReferenceTemperature == firstReference &&
            measure.Feature is TokenFeature.WidthQ95 or TokenFeature.Leak or TokenFeature.EntropyShift or TokenFeature.Js,
    };

    private static Measure[] WithPrimaries(List<Measure> measures, MeasureCatalogOptions options)
    {
        if (options.Primary.Count == 0)
        {
            double? first = options.ReferenceTemperatures.Count > 0 ? options.ReferenceTemperatures[0] : null;
            return [.. measures.Select(m => m with { Primary = IsDefaultPrimary(m, first) })];
        }
        var chosen = options.Primary.ToHashSet(StringComparer.Ordinal);
        foreach (var name in options.Primary)
            if (!measures.Exists(m => m.Name == name))
                throw new SiloException($"primary measure '{name}': there is no such measure (`silo measures` lists them)");
        foreach (var measure in measures)
            if (chosen.Contains(measure.Name) && measure.SameOrderAs is { } other && chosen.Contains(other))
                throw new SiloException($"primary measures '{measure.Name}' and '{other}' rank all texts alike: declare one of them");
        return [.. measures.Select(m => m with { Primary = chosen.Contains(m.Name) })];
    }

    private static void AddFeatures(List<Measure> measures, bool captured, double? reference)
    {
        foreach (var feature in FeaturesOf(captured, reference is not null))
            foreach (var aggregate in s_aggregates)
                measures.Add(Of(feature, aggregate, captured, reference));
    }

    /// <summary>The features of one block of the catalog, in column order.</summary>
    private static IEnumerable<TokenFeature> FeaturesOf(bool captured, bool twins)
    {
        var count = captured ? TokenFeatures.CapturedCount : TokenFeatures.FullCount;
        for (var column = 0; column < count; column++)
            if (!twins || ((TokenFeature)column).DependsOnTemperature())
                yield return (TokenFeature)column;
    }

    private static Measure Of(TokenFeature feature, Aggregate aggregate, bool captured, double? reference)
    {
        var facts = FeatureFacts.Of(feature);
        var at = reference is { } t ? "@" + Number(t) : "";
        var name = (captured ? "captured." : "") + feature.Name() + at;
        var aggregateName = Name(aggregate);
        var spread = aggregate == Aggregate.Std;
        return new Measure
        {
            Name = $"{name}.{aggregateName}",
            Title = $"{facts.Title}, {aggregateName}{(reference is { } r ? $", at T = {Number(r)}" : "")}{(captured ? ", captured" : "")}",
            // A spread has no direction in the papers; unsteadiness is taken to be worse.
            Direction = spread ? Direction.Lower : facts.Direction,
            Unit = facts.Unit,
            Minimum = spread ? 0 : facts.Minimum,
            Maximum = spread ? (facts.Maximum - facts.Minimum) / 2 : facts.Maximum,
            Definition = $"{aggregateName} over the steps of: {facts.Definition}"
                + (captured ? "; over the top K tokens and the sampled one, renormalised" : "")
                + (reference is { } r2 ? $"; q = softmax(z/{Number(r2)}) for every text, whose prefix was still sampled at its own T" : ""),
            Source = FeatureFacts.Paper + (reference is null ? "" : " (blind twin: Silo)"),
            Needs = Needs(feature, captured),
            Feature = feature,
            Aggregate = aggregate,
            Captured = captured,
            ReferenceTemperature = reference,
            SameOrderAs = SameOrder(feature, aggregate, captured, reference, at),
        };
    }

    private static MeasureNeeds Needs(TokenFeature feature, bool captured)
    {
        var needs = MeasureNeeds.Distribution;
        if (!captured || feature == TokenFeature.CapturedMass) needs |= MeasureNeeds.WholeRow;
        if (feature.DependsOnTemperature()) needs |= MeasureNeeds.Temperature;
        if (captured || feature is TokenFeature.LogPX or TokenFeature.LogQX or TokenFeature.RankX or TokenFeature.OutsideX)
            needs |= MeasureNeeds.Tokens;
        return needs;
    }

    private static string? SameOrder(TokenFeature feature, Aggregate aggregate, bool captured, double? reference, string at)
    {
        var prefix = captured ? "captured." : "";
        var ofMean = aggregate == Aggregate.Mean && !captured && reference is null;
        return feature switch
        {
            TokenFeature.N95Q => $"{prefix}width_q_95{at}.{Name(aggregate)}",
            TokenFeature.Retained => $"{prefix}leak{at}.{Name(Mirrored(aggregate))}",
            TokenFeature.EntropyP when ofMean => "mean_entropy",
            TokenFeature.MarginP when ofMean => "mean_margin",
            TokenFeature.LogPX when ofMean => "self_perplexity",
            _ => null,
        };
    }

    // 1 - x turns the order of a text's steps round: its 10th percentile is the 90th of x, and so on.
    private static Aggregate Mirrored(Aggregate aggregate) => aggregate switch
    {
        Aggregate.P10 => Aggregate.P90,
        Aggregate.P90 => Aggregate.P10,
        Aggregate.Min => Aggregate.Max,
        Aggregate.Max => Aggregate.Min,
        _ => aggregate,
    };

    private static string Name(Aggregate aggregate) => aggregate switch
    {
        Aggregate.Mean => "mean",
        Aggregate.Median => "median",
        Aggregate.P10 => "p10",
        Aggregate.P90 => "p90",
        Aggregate.Min => "min",
        Aggregate.Max => "max",
        _ => "std",
    };

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
