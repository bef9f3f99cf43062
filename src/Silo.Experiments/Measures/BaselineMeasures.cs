using System.Collections.Frozen;
using Silo.Core.Baselines;
using Silo.Core.Numerics;
using Silo.Core.Text;

namespace Silo.Experiments.Measures;

/// <summary>
/// The measures that have no token feature of their own: the four baselines of paper 1, and those of a text alone.
/// Their values come from Silo.Core (Baselines, Text).
/// </summary>
internal static class BaselineMeasures
{
    private const string Paper1 = "arXiv 2606.01451 (baseline)", Paper2 = "arXiv 2405.00492", Paper4 = "arXiv 2503.17126";
    private const MeasureNeeds Model = MeasureNeeds.Distribution | MeasureNeeds.Tokens | MeasureNeeds.WholeRow;
    private const MeasureNeeds Steps = MeasureNeeds.Distribution | MeasureNeeds.WholeRow;

    /// <summary>The four of the paper's headline contrast.</summary>
    public static FrozenSet<string> Names { get; } =
        FrozenSet.ToFrozenSet(["self_perplexity", "mean_entropy", "mean_margin", "gzip_ratio"], StringComparer.Ordinal);

    // Directions: paper 1 ranks by "coherence first" and finds the hottest text last on nearly every prompt, so what
    // grows with T (perplexity, entropy, incompressibility) is expected to be worse. Paper 4 counts distinct n-grams
    // as diversity, a virtue.
    public static IEnumerable<Measure> All()
    {
        yield return Of("self_perplexity", "self-perplexity", Direction.Lower, "perplexity", 1, double.PositiveInfinity,
            "exp(-mean log p[x]) over the text's tokens", Paper1 + "; " + Paper2, Model, primary: true);
        yield return Of("self_perplexity_q", "self-perplexity under q", Direction.Lower, "perplexity", 1, double.PositiveInfinity,
            "exp(-mean log q[x]) over the text's tokens", Paper2, Model | MeasureNeeds.Temperature, sameOrderAs: "logq_x.mean");
        yield return Of("mean_entropy", "mean entropy", Direction.Lower, "nats", 0, double.PositiveInfinity,
            "mean H(p) over the steps", Paper1, Steps, primary: true);
        yield return Of("mean_margin", "mean top-1 margin", Direction.Larger, "probability", 0, 1,
            "mean of first minus second probability of p", Paper1, Steps, primary: true);
        yield return Of("gzip_ratio", "gzip ratio", Direction.Lower, "ratio", 0, double.PositiveInfinity,
            "gzip bytes (level 9) over UTF-8 bytes; undefined for the empty text", Paper1 + "; " + Paper4, MeasureNeeds.Text, primary: true);
        yield return Of("raw_deflate_ratio", "deflate ratio", Direction.Lower, "ratio", 0, double.PositiveInfinity,
            "raw deflate bytes (level 9) over UTF-8 bytes; undefined for the empty text", Paper4, MeasureNeeds.Text);
        yield return Of("utf8_len", "length in bytes", Direction.Larger, "bytes", 0, double.PositiveInfinity,
            "UTF-8 bytes of the text", "length control", MeasureNeeds.Text);
        yield return Of("words", "length in words", Direction.Larger, "words", 0, double.PositiveInfinity,
            "words of the lower-cased text, divided at white space", "length control", MeasureNeeds.Text);
        for (var n = 1; n <= 4; n++)
            yield return Of($"distinct_{n}", $"distinct {n}-grams", Direction.Larger, "ratio", 0, 1,
                $"distinct {n}-grams of words over all {n}-grams; 0 if there is none", Paper4, MeasureNeeds.Text, primary: true);
        yield return Of("distinct_sum", "distinct 1- to 4-grams", Direction.Larger, "ratio", 0, 4,
            "sum of distinct_1 to distinct_4", Paper4, MeasureNeeds.Text);
    }

    /// <summary>Their values, in the order of <see cref="All"/>; NaN where undefined.</summary>
    /// <param name="text">The text.</param>
    /// <param name="feature">The value of a measure of a token feature, by name.</param>
    public static IEnumerable<double> Values(string text, Func<string, double> feature)
    {
        yield return DeterministicMath.Exp(-feature("logp_x.mean"));
        yield return DeterministicMath.Exp(-feature("logq_x.mean"));
        yield return feature("entropy_p.mean");
        yield return feature("margin_p.mean");
        var compressed = CompressedLength.Of(text);
        yield return compressed.GzipRatio ?? double.NaN;
        yield return compressed.RawDeflateRatio ?? double.NaN;
        yield return compressed.Utf8;
        var words = Words.Encode([text])[0];
        yield return words.Length;
        var distinct = DistinctN.OfText(words);
        yield return distinct.Distinct1;
        yield return distinct.Distinct2;
        yield return distinct.Distinct3;
        yield return distinct.Distinct4;
        yield return distinct.Sum;
    }

    private static Measure Of(string name, string title, Direction direction, string unit, double minimum, double maximum,
        string definition, string source, MeasureNeeds needs, bool primary = false, string? sameOrderAs = null) => new()
        {
            Name = name,
            Title = title,
            Direction = direction,
            Unit = unit,
            Minimum = minimum,
            Maximum = maximum,
            Definition = definition,
            Source = source,
            Needs = needs,
            Primary = primary,
            Baseline = Names.Contains(name),
            SameOrderAs = sameOrderAs,
        };
}
