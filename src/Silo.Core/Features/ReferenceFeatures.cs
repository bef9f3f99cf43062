namespace Silo.Core.Features;

/// <summary>
/// Token features in plain float64, written to be read beside their definitions (<see cref="TokenFeature"/>): the oracle
/// of <see cref="FeatureKernel"/>, which is the one to use.
/// </summary>
/// <remarks>
/// p = softmax(z), q = softmax(z / T); the order of the tokens is by descending z, equal logits (-0 equals 0) by lower id.
/// Masked tokens (z = -infinity) have p = q = 0, come last and contribute nothing.
/// Source: "Before and After Temperature" (arXiv 2606.01451).
/// </remarks>
public static class ReferenceFeatures
{
    /// <summary>A cumulative mass counts as having reached m from m minus this on, so that exact ties of thresholds hold.</summary>
    internal const double ThresholdSlack = 1e-12;

    /// <summary>The features over the whole row.</summary>
    /// <param name="logits">z, one per token of the vocabulary; -infinity masks a token.</param>
    /// <param name="temperature">T, above 0.</param>
    /// <param name="token">Id of the sampled token x; not masked.</param>
    /// <returns><see cref="TokenFeatures.FullCount"/> values in column order.</returns>
    /// <exception cref="SiloException">NaN or +infinity among the logits, no token left, x masked or outside, T not above 0.</exception>
    public static double[] Full(ReadOnlySpan<float> logits, double temperature, int token) =>
        Full(logits, temperature, token, ThresholdSlack);

    /// <summary>
    /// The features over the captured tokens: the first K of the order, and x where it is not among them; p renormalised
    /// over them, q = p^(1/T) renormalised. Then captured mass, size, and whether x was appended.
    /// </summary>
    /// <inheritdoc cref="Full(ReadOnlySpan{float}, double, int)"/>
    /// <param name="logits">z, one per token of the vocabulary; -infinity masks a token.</param>
    /// <param name="temperature">T, above 0.</param>
    /// <param name="token">Id of the sampled token x; not masked.</param>
    /// <param name="k">K, at least 1.</param>
    /// <returns><see cref="TokenFeatures.CapturedCount"/> values in column order.</returns>
    public static double[] Captured(ReadOnlySpan<float> logits, double temperature, int token, int k) =>
        Captured(logits, temperature, token, k, ThresholdSlack);

    internal static double[] Full(ReadOnlySpan<float> logits, double temperature, int token, double slack)
    {
        FeatureInput.Check(logits, temperature, token);
        var (ids, z) = InOrder(logits);
        return Features(z, Array.IndexOf(ids, token), temperature, slack);
    }

    internal static double[] Captured(ReadOnlySpan<float> logits, double temperature, int token, int k, double slack)
    {
        FeatureInput.Check(logits, temperature, token);
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        var (ids, z) = InOrder(logits);
        var (p, _) = Softmax(z, 1);
        var x = Array.IndexOf(ids, token);
        var appended = x >= k;
        double[] kept = appended ? [.. z[..k], z[x]] : z[..Math.Min(k, z.Length)];
        var mass = p[..Math.Min(k, p.Length)].Sum() + (appended ? p[x] : 0);
        return [.. Features(kept, appended ? k : x, temperature, slack), mass, kept.Length, appended ? 1 : 0];
    }

    /// <summary>Ids and logits by descending z, ties by id (the sort of LINQ is stable, and -0 compares equal to 0).</summary>
    private static (int[] Ids, double[] Z) InOrder(ReadOnlySpan<float> logits)
    {
        var z = logits.ToArray();
        var ids = Enumerable.Range(0, z.Length).OrderByDescending(id => z[id] + 0f).ToArray();
        return (ids, Array.ConvertAll(ids, id => (double)z[id]));
    }

    /// <summary>softmax(z / T) and its logarithm; z in descending order.</summary>
    private static (double[] P, double[] LogP) Softmax(double[] z, double temperature)
    {
        var shifted = Array.ConvertAll(z, v => (v - z[0]) / temperature);
        var logSum = Math.Log(shifted.Sum(Math.Exp));
        var logP = Array.ConvertAll(shifted, v => v - logSum);
        return (Array.ConvertAll(logP, Math.Exp), logP);
    }

    private static double[] Features(double[] z, int x, double temperature, double slack)
    {
        var (p, logP) = Softmax(z, 1);
        var (q, logQ) = Softmax(z, temperature);
        var row = new double[TokenFeatures.FullCount];
        void Set(TokenFeature feature, double value) => row[(int)feature] = value;

        for (var i = 0; i < FeatureThresholds.Masses.Length; i++)
        {
            row[(int)TokenFeature.WidthP50 + i] = Width(p, FeatureThresholds.Masses[i] - slack);
            row[(int)TokenFeature.WidthQ50 + i] = Width(q, FeatureThresholds.Masses[i] - slack);
        }
        var topP = (int)row[(int)TokenFeature.WidthP90];
        var topQ = (int)row[(int)TokenFeature.WidthQ90];
        Set(TokenFeature.N95Q, row[(int)TokenFeature.WidthQ95]);
        Set(TokenFeature.Retained, Math.Clamp(q[..topP].Sum(), 0, 1));
        Set(TokenFeature.Leak, 1 - row[(int)TokenFeature.Retained]);
        Set(TokenFeature.PreOnPost, Math.Clamp(p[..topQ].Sum(), 0, 1));

        double entropyP = 0, entropyQ = 0, klQP = 0, klPQ = 0, js = 0, tv = 0, hellinger = 0;
        for (var i = 0; i < z.Length; i++)
        {
            entropyP -= Times(p[i], logP[i]);
            entropyQ -= Times(q[i], logQ[i]);
            klQP += Times(q[i], logQ[i] - logP[i]);
            klPQ += Times(p[i], logP[i] - logQ[i]);
            var logM = Math.Log(p[i] + q[i]) - Math.Log(2); // halving the smallest subnormal would give 0
            js += (Times(p[i], logP[i] - logM) + Times(q[i], logQ[i] - logM)) / 2;
            tv += Math.Abs(p[i] - q[i]) / 2;
            // 1 - sum sqrt(p q) in the equal form that is exactly 0 where p = q.
            var root = Math.Sqrt(p[i]) - Math.Sqrt(q[i]);
            hellinger += root * root / 2;
        }
        entropyP = Math.Max(0, entropyP);
        entropyQ = Math.Max(0, entropyQ);
        Set(TokenFeature.EntropyP, entropyP);
        Set(TokenFeature.EntropyQ, entropyQ);
        Set(TokenFeature.EntropyShift, entropyQ - entropyP);
        Set(TokenFeature.KlQP, Math.Max(0, klQP));
        Set(TokenFeature.KlPQ, Math.Max(0, klPQ));
        Set(TokenFeature.Js, Math.Max(0, js));
        Set(TokenFeature.Tv, Math.Clamp(tv, 0, 1));
        Set(TokenFeature.Hellinger, Math.Sqrt(hellinger));

        Set(TokenFeature.Top1P, p[0]);
        Set(TokenFeature.Top1Q, q[0]);
        Set(TokenFeature.MarginP, p[0] - (p.Length > 1 ? p[1] : 0));
        Set(TokenFeature.MarginQ, q[0] - (q.Length > 1 ? q[1] : 0));
        Set(TokenFeature.LogPX, logP[x]);
        Set(TokenFeature.LogQX, logQ[x]);
        Set(TokenFeature.RankX, x + 1);
        Set(TokenFeature.OutsideX, x + 1 > topP ? 1 : 0);
        return row;
    }

    /// <summary>Smallest k such that the first k probabilities sum to at least the threshold.</summary>
    private static int Width(double[] p, double threshold)
    {
        var cumulative = 0.0;
        for (var k = 0; k < p.Length; k++)
        {
            cumulative += p[k];
            if (cumulative >= threshold) return k + 1;
        }
        return p.Length;
    }

    /// <summary>Mass times logarithm, where 0 * log 0 = 0 (also 0 * infinity).</summary>
    private static double Times(double mass, double log) => mass == 0 ? 0 : mass * log;
}
