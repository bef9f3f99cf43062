namespace Silo.Core.Features;

/// <summary>
/// The features of one decoding step: of p = softmax(z), of q = softmax(z / T), and of the sampled token x.
/// The numeric value is the column of the feature in every feature row. Definitions: see <see cref="TokenFeatures"/>.
/// </summary>
public enum TokenFeature
{
    /// <summary>Smallest k such that the k most probable tokens hold at least half of p. Range 1..V.</summary>
    WidthP50,
    /// <summary>The same for 90 % of p.</summary>
    WidthP90,
    /// <summary>The same for 95 % of p.</summary>
    WidthP95,
    /// <summary>The same for 99 % of p.</summary>
    WidthP99,
    /// <summary>Smallest k such that the first k tokens, in the order of p, hold at least half of q. Range 1..V.</summary>
    WidthQ50,
    /// <summary>The same for 90 % of q.</summary>
    WidthQ90,
    /// <summary>The same for 95 % of q.</summary>
    WidthQ95,
    /// <summary>The same for 99 % of q.</summary>
    WidthQ99,
    /// <summary>The paper's name of <see cref="WidthQ95"/>; always equal to it.</summary>
    N95Q,
    /// <summary>Mass of q on p's top-90 % set. Range [0, 1].</summary>
    Retained,
    /// <summary>1 - <see cref="Retained"/>: the mass that temperature moved out of p's top-90 % set.</summary>
    Leak,
    /// <summary>Mass of p on q's top-90 % set. Range [0, 1].</summary>
    PreOnPost,
    /// <summary>Shannon entropy H(p) in nats.</summary>
    EntropyP,
    /// <summary>Shannon entropy H(q) in nats.</summary>
    EntropyQ,
    /// <summary>H(q) - H(p) in nats.</summary>
    EntropyShift,
    /// <summary>KL(q || p) in nats.</summary>
    KlQP,
    /// <summary>KL(p || q) in nats.</summary>
    KlPQ,
    /// <summary>Jensen-Shannon divergence of p and q in nats. Range [0, ln 2].</summary>
    Js,
    /// <summary>Total variation distance of p and q. Range [0, 1].</summary>
    Tv,
    /// <summary>Hellinger distance of p and q. Range [0, 1].</summary>
    Hellinger,
    /// <summary>Largest probability of p.</summary>
    Top1P,
    /// <summary>Probability under q of the first token of the order.</summary>
    Top1Q,
    /// <summary>First minus second probability of p; the second is 0 where V = 1.</summary>
    MarginP,
    /// <summary>The same under q.</summary>
    MarginQ,
    /// <summary>log p of the sampled token, in nats.</summary>
    LogPX,
    /// <summary>log q of the sampled token, in nats.</summary>
    LogQX,
    /// <summary>1-based position of the sampled token in the order.</summary>
    RankX,
    /// <summary>1 if the sampled token is outside p's top-90 % set, else 0.</summary>
    OutsideX,
    /// <summary>Captured rows only: mass of the kept tokens under the full p.</summary>
    CapturedMass,
    /// <summary>Captured rows only: number of kept tokens.</summary>
    CapturedSize,
    /// <summary>Captured rows only: 1 if the sampled token was outside the first K and was appended, else 0.</summary>
    Appended,
}

/// <summary>
/// Names and layout of feature rows. A full row has <see cref="FullCount"/> columns, a captured row (the first K
/// tokens of the order and the sampled token, renormalised) has <see cref="CapturedCount"/>.
/// Source: "Before and After Temperature" (arXiv 2606.01451).
/// </summary>
public static class TokenFeatures
{
    /// <summary>Columns of a full feature row.</summary>
    public const int FullCount = 28;

    /// <summary>Columns of a captured feature row: those of a full one, then mass, size and whether x was appended.</summary>
    public const int CapturedCount = 31;

    private static readonly string[] s_namesByColumn =
    [
        "width_p_50", "width_p_90", "width_p_95", "width_p_99", "width_q_50", "width_q_90", "width_q_95", "width_q_99",
        "n95_q", "retained", "leak", "pre_on_post", "entropy_p", "entropy_q", "entropy_shift", "kl_qp", "kl_pq", "js",
        "tv", "hellinger", "top1_p", "top1_q", "margin_p", "margin_q", "logp_x", "logq_x", "rank_x", "outside_x",
        "captured_mass", "captured_size", "appended",
    ];

    /// <summary>The key of every column, in column order; a full row uses the first <see cref="FullCount"/>.</summary>
    public static ReadOnlySpan<string> Names => s_namesByColumn;

    /// <summary>The key of a feature, as in every output of Silo.</summary>
    public static string Name(this TokenFeature feature) => s_namesByColumn[(int)feature];

    /// <summary>
    /// Whether the feature depends on the temperature: those that do have a twin at a fixed reference temperature.
    /// </summary>
    public static bool DependsOnTemperature(this TokenFeature feature) => feature is
        (>= TokenFeature.WidthQ50 and <= TokenFeature.PreOnPost) or
        (>= TokenFeature.EntropyQ and <= TokenFeature.Hellinger) or
        TokenFeature.Top1Q or TokenFeature.MarginQ or TokenFeature.LogQX;
}
