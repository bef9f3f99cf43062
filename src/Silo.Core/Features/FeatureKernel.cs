namespace Silo.Core.Features;

/// <summary>
/// The token features of a row, full and captured, for any number of temperatures at once, fast. Checked against
/// <see cref="ReferenceFeatures"/>: the same integers, reals to 1e-6, and the same bits on every machine.
/// A workspace for one thread; nothing is allocated after construction.
/// </summary>
public sealed class FeatureKernel
{
    private readonly int vocabularySize;
    private readonly int captureSize;
    private readonly WeightedTokens full;
    private readonly WeightedTokens captured;
    private readonly DescendingSort sort;

    /// <param name="vocabularySize">V, the length of every row, at least 1.</param>
    /// <param name="captureSize">K, the number of captured tokens, at least 1.</param>
    public FeatureKernel(int vocabularySize, int captureSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(captureSize, 1);
        this.vocabularySize = vocabularySize;
        this.captureSize = captureSize;
        full = new WeightedTokens(vocabularySize);
        captured = new WeightedTokens(Math.Min(vocabularySize, captureSize + 1));
        sort = new DescendingSort(vocabularySize);
    }

    /// <summary>Computes the features of one decoding step at every temperature.</summary>
    /// <param name="logits">z, V values; -infinity masks a token.</param>
    /// <param name="temperatures">The temperatures T, each above 0.</param>
    /// <param name="token">Id of the sampled token x; not masked.</param>
    /// <param name="fullRows">Receives <see cref="TokenFeatures.FullCount"/> columns per temperature, row by row.</param>
    /// <param name="capturedRows">Receives <see cref="TokenFeatures.CapturedCount"/> columns per temperature, or is empty.</param>
    /// <exception cref="SiloException">NaN or +infinity among the logits, no token left, x masked or outside, T not above 0.</exception>
    /// <exception cref="ArgumentException">A span has another length.</exception>
    public void Compute(
        ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> fullRows, Span<double> capturedRows)
    {
        if (logits.Length != vocabularySize) throw new ArgumentException($"{vocabularySize} logits expected", nameof(logits));
        if (fullRows.Length != temperatures.Length * TokenFeatures.FullCount)
            throw new ArgumentException("one full row per temperature expected", nameof(fullRows));
        if (capturedRows.Length != 0 && capturedRows.Length != temperatures.Length * TokenFeatures.CapturedCount)
            throw new ArgumentException("one captured row per temperature expected", nameof(capturedRows));
        foreach (var temperature in temperatures) FeatureInput.CheckTemperature(temperature);
        FeatureInput.CheckLogits(logits);
        FeatureInput.CheckToken(logits, token);

        ComputeSorted(logits, temperatures, token, fullRows, capturedRows);
    }

    /// <summary>Every row, by sorting its logits.</summary>
    private void ComputeSorted(
        ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> fullRows, Span<double> capturedRows)
    {
        var sorted = sort.Sort(logits);
        full.Clear();
        foreach (var z in sorted) full.Add(z, 1);
        full.Complete();
        var (group, rank) = (full.GroupOf(logits[token]), Rank(logits, token));
        for (var i = 0; i < temperatures.Length; i++)
            full.Write(temperatures[i], group, rank, fullRows.Slice(i * TokenFeatures.FullCount, TokenFeatures.FullCount));
        if (capturedRows.Length == 0) return;

        captured.Clear();
        var kept = Math.Min(captureSize, sorted.Length);
        foreach (var z in sorted[..kept]) captured.Add(z, 1);
        var mass = full.MassOfFirst(kept) + (rank > captureSize ? full.ProbabilityOf(group) : 0);
        WriteCaptured(logits[token], mass, rank, temperatures, capturedRows);
    }

    /// <summary>Completes the captured tokens, which are all added but x where it lies outside, and writes their features.</summary>
    private void WriteCaptured(float x, double mass, int rank, ReadOnlySpan<double> temperatures, Span<double> capturedRows)
    {
        var appended = rank > captureSize;
        var group = appended ? captured.Add(x, 1) : captured.GroupOf(x);
        captured.Complete();
        var size = Math.Min(captureSize, vocabularySize) + (appended ? 1 : 0);
        for (var i = 0; i < temperatures.Length; i++)
        {
            var row = capturedRows.Slice(i * TokenFeatures.CapturedCount, TokenFeatures.CapturedCount);
            captured.Write(temperatures[i], group, appended ? captureSize + 1 : rank, row);
            row[(int)TokenFeature.CapturedMass] = mass;
            row[(int)TokenFeature.CapturedSize] = size;
            row[(int)TokenFeature.Appended] = appended ? 1 : 0;
        }
    }

    /// <summary>1-based position of the token: those with a larger logit come first, and equal ones of lower id.</summary>
    private static int Rank(ReadOnlySpan<float> logits, int token)
    {
        var z = logits[token];
        var rank = 1;
        foreach (var other in logits[..token]) rank += other >= z ? 1 : 0;
        foreach (var other in logits[(token + 1)..]) rank += other > z ? 1 : 0;
        return rank;
    }
}
