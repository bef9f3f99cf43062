using Silo.Core;

namespace Silo.Reporting.Texts;

/// <summary>One token that could have been drawn.</summary>
/// <param name="Token">Its text.</param>
/// <param name="P">Its probability before temperature, p = softmax(z).</param>
/// <param name="Q">Its probability after temperature, q = softmax(z / T).</param>
public sealed record TokenChoice(string Token, double P, double Q);

/// <summary>
/// One step of a shown text in more detail than traces keep: what the token's card and the mass curves need. It is made
/// for the sampled texts only, when the report is written, from the logits of a replay (teacher forcing).
/// </summary>
public sealed record TokenDetail
{
    /// <summary>How many of the most probable tokens are kept.</summary>
    public const int TopCount = 10;

    /// <summary>Text of the sampled token, in its place (a leading space is kept).</summary>
    public required string Token { get; init; }

    /// <summary>1-based position of the sampled token in the order (descending logits, ties by lower id).</summary>
    public required int Rank { get; init; }

    /// <summary>p of the sampled token.</summary>
    public required double P { get; init; }

    /// <summary>q of the sampled token.</summary>
    public required double Q { get; init; }

    /// <summary>H(p) in nats.</summary>
    public required double EntropyP { get; init; }

    /// <summary>H(q) in nats.</summary>
    public required double EntropyQ { get; init; }

    /// <summary>Mass of q outside p's top-90 % set, in [0, 1].</summary>
    public required double Leak { get; init; }

    /// <summary>Size of p's top-90 % set (width_p_90).</summary>
    public required int TopSet { get; init; }

    /// <summary>The first ten tokens of the order, or all where there are fewer.</summary>
    public required IReadOnlyList<TokenChoice> Top { get; init; }

    /// <summary>Size of the vocabulary, V.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Cumulative mass of p at the ranks <see cref="MassRanks.For"/> gives for V.</summary>
    public required double[] MassP { get; init; }

    /// <summary>Cumulative mass of q at the same ranks, in the same order of tokens.</summary>
    public required double[] MassQ { get; init; }

    /// <summary>Reduces one row of logits. For the eye: nothing of it enters a digest.</summary>
    /// <param name="logits">Raw logits of the step, [V]; minus infinity where masked.</param>
    /// <param name="temperature">Sampling temperature; 0 (greedy) is shown at T = 1, as in the traces.</param>
    /// <param name="token">Id of the sampled token.</param>
    /// <param name="tokenText">Text of a token id.</param>
    /// <exception cref="SiloException">The token is outside the row.</exception>
    public static TokenDetail From(
        ReadOnlySpan<float> logits, double temperature, int token, Func<int, string> tokenText)
    {
        ArgumentNullException.ThrowIfNull(tokenText);
        if ((uint)token >= (uint)logits.Length)
            throw new SiloException($"token {token} is outside the vocabulary of {logits.Length}");
        var order = Order(logits);
        var p = Softmax(logits, order, 1);
        var q = Softmax(logits, order, temperature > 0 ? temperature : 1);
        var rank = Array.IndexOf(order, token);
        var (ranks, massP, massQ) = (MassRanks.For(order.Length), new List<double>(), new List<double>());
        double sumP = 0, sumQ = 0, retained = 0;
        var topSet = 0;
        for (int i = 0, next = 0; i < order.Length; i++)
        {
            // The token that reaches 90 % belongs to the set; reaching is meant up to rounding (threshold rule).
            if (sumP < 0.9 - 1e-12) (retained, topSet) = (retained + q[i], i + 1);
            sumP += p[i];
            sumQ += q[i];
            if (i + 1 != ranks[next]) continue;
            massP.Add(Math.Min(1, sumP));
            massQ.Add(Math.Min(1, sumQ));
            next++;
        }
        return new TokenDetail
        {
            Token = tokenText(token),
            Rank = rank + 1,
            P = p[rank],
            Q = q[rank],
            EntropyP = Entropy(p),
            EntropyQ = Entropy(q),
            Leak = Math.Clamp(1 - retained, 0, 1),
            TopSet = topSet,
            Top = [.. Enumerable.Range(0, Math.Min(TopCount, order.Length))
                .Select(i => new TokenChoice(tokenText(order[i]), p[i], q[i]))],
            VocabularySize = order.Length,
            MassP = [.. massP],
            MassQ = [.. massQ],
        };
    }

    private static int[] Order(ReadOnlySpan<float> logits)
    {
        var keys = new float[logits.Length];
        var order = new int[logits.Length];
        // +0 turns -0 into 0, so that the two are the tie they are.
        for (var i = 0; i < order.Length; i++) (keys[i], order[i]) = (-logits[i] + 0f, i);
        Array.Sort(order, (a, b) => keys[a] != keys[b] ? keys[a].CompareTo(keys[b]) : a.CompareTo(b));
        return order;
    }

    private static double[] Softmax(ReadOnlySpan<float> logits, int[] order, double temperature)
    {
        double max = logits[order[0]];
        var masses = new double[order.Length];
        for (var i = 0; i < order.Length; i++) masses[i] = Math.Exp((logits[order[i]] - max) / temperature);
        var sum = masses.Sum();
        for (var i = 0; i < order.Length; i++) masses[i] /= sum;
        return masses;
    }

    private static double Entropy(double[] masses) => Math.Max(0, -masses.Sum(m => m > 0 ? m * Math.Log(m) : 0));
}
