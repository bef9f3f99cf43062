using Silo.Core.Features;

namespace Silo.Experiments.Measures;

/// <summary>What is declared of one token feature: title, unit, range, direction, definition, paper.</summary>
internal sealed record FeatureFacts(string Title, Direction Direction, string Unit, double Minimum, double Maximum, string Definition)
{
    public const string Paper = "arXiv 2606.01451";

    private const double Infinity = double.PositiveInfinity;

    // Paper 1's raters put coherence first and the hottest text last on 499 and 500 of 500 prompts: whatever says that
    // mass is spread, moved away from p, or that an unlikely token was drawn, is declared to be worse (Lower);
    // whatever says that mass is concentrated or kept, to be better (Larger).
    public static FeatureFacts Of(TokenFeature feature) => feature switch
    {
        >= TokenFeature.WidthP50 and <= TokenFeature.WidthP99 => Width("p", Percent(feature - TokenFeature.WidthP50)),
        >= TokenFeature.WidthQ50 and <= TokenFeature.WidthQ99 => Width("q", Percent(feature - TokenFeature.WidthQ50)),
        TokenFeature.N95Q => Width("q", 95),
        TokenFeature.Retained => new("q on p's top 90 %", Direction.Larger, "probability", 0, 1, "mass of q on the smallest set of top tokens that holds 90 % of p"),
        TokenFeature.Leak => new("leak", Direction.Lower, "probability", 0, 1, "mass that temperature moved out of p's top-90 % set: 1 - retained"),
        TokenFeature.PreOnPost => new("p on q's top 90 %", Direction.Lower, "probability", 0, 1, "mass of p on the smallest set of top tokens that holds 90 % of q; the set grows with T"),
        TokenFeature.EntropyP => new("entropy of p", Direction.Lower, "nats", 0, Infinity, "H(p)"),
        TokenFeature.EntropyQ => new("entropy of q", Direction.Lower, "nats", 0, Infinity, "H(q)"),
        TokenFeature.EntropyShift => new("entropy shift", Direction.Lower, "nats", -Infinity, Infinity, "H(q) - H(p)"),
        TokenFeature.KlQP => new("KL(q || p)", Direction.Lower, "nats", 0, Infinity, "sum q (log q - log p)"),
        TokenFeature.KlPQ => new("KL(p || q)", Direction.Lower, "nats", 0, Infinity, "sum p (log p - log q)"),
        TokenFeature.Js => new("Jensen-Shannon", Direction.Lower, "nats", 0, Math.Log(2), "mean KL of p and q to their average"),
        TokenFeature.Tv => new("total variation", Direction.Lower, "probability", 0, 1, "half the sum of |p - q|"),
        TokenFeature.Hellinger => new("Hellinger distance", Direction.Lower, "distance", 0, 1, "sqrt(1 - sum sqrt(p q))"),
        TokenFeature.Top1P => new("top probability of p", Direction.Larger, "probability", 0, 1, "largest p"),
        TokenFeature.Top1Q => new("top probability of q", Direction.Larger, "probability", 0, 1, "q of the first token"),
        TokenFeature.MarginP => new("margin of p", Direction.Larger, "probability", 0, 1, "first minus second p"),
        TokenFeature.MarginQ => new("margin of q", Direction.Larger, "probability", 0, 1, "first minus second q"),
        TokenFeature.LogPX => new("log p of the token", Direction.Larger, "nats", -Infinity, 0, "log p of the sampled token"),
        TokenFeature.LogQX => new("log q of the token", Direction.Larger, "nats", -Infinity, 0, "log q of the sampled token"),
        TokenFeature.RankX => new("rank of the token", Direction.Lower, "rank", 1, Infinity, "1-based position of the sampled token in the order of p"),
        TokenFeature.OutsideX => new("token outside p's top 90 %", Direction.Lower, "share", 0, 1, "1 where the sampled token is outside p's top-90 % set"),
        TokenFeature.CapturedMass => new("captured mass", Direction.Larger, "probability", 0, 1, "mass of the kept tokens under the whole p"),
        TokenFeature.CapturedSize => new("captured size", Direction.Lower, "tokens", 1, Infinity, "number of kept tokens"),
        TokenFeature.Appended => new("token outside the capture", Direction.Lower, "share", 0, 1, "1 where the sampled token is outside the captured top K"),
        _ => throw new ArgumentOutOfRangeException(nameof(feature)),
    };

    private static int Percent(int offset) => offset switch { 0 => 50, 1 => 90, 2 => 95, _ => 99 };

    private static FeatureFacts Width(string distribution, int percent) =>
        new($"tokens holding {percent} % of {distribution}", Direction.Lower, "tokens", 1, Infinity,
            $"smallest k such that the first k tokens, in the order of p, hold {percent} % of {distribution}");
}
