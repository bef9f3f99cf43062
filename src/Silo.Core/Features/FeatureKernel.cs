using System.Numerics;
using System.Runtime.Intrinsics;
using Silo.Core.Numerics;

namespace Silo.Core.Features;

/// <summary>
/// The token features of a row, full and captured, for any number of temperatures at once, fast. Checked against
/// <see cref="ReferenceFeatures"/>: the same integers, reals to 1e-6, and the same bits on every machine.
/// A workspace for one thread (some 9 MB at V = 128,256, 2 MB at 4,096); nothing is allocated after construction.
/// How it works and what is proven about its error: docs/kernel.md.
/// </summary>
public sealed class FeatureKernel
{
    // Below so many tokens a sort is no slower than the histogram's fixed costs.
    private const int HistogramFrom = 1024;

    // The top must be a small part of the row for the rest to be worth a histogram.
    private const int TokensPerCaptured = 8;

    // Tokens seen one by one, even where fewer are captured: the largest masses are then exact.
    private const int TopTokens = 128;

    private readonly int vocabularySize;
    private readonly int captureSize;
    private readonly WeightedTokens full;
    private readonly WeightedTokens captured;
    private readonly DescendingSort sort;
    private readonly HistogramFeatures? histogram;
    private readonly BfloatHistogram? bfloat;
    private readonly float[] unmasked;
    private long rows, rounded, recomputed, sorted;

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
        unmasked = [];
        if (!IsLong(vocabularySize)) return;
        histogram = new HistogramFeatures(vocabularySize, Math.Max(TopTokens, captureSize));
        bfloat = new BfloatHistogram();
        unmasked = new float[vocabularySize];
    }

    /// <summary>Which way the rows went since construction.</summary>
    public KernelStatistics Statistics => new(rows, rounded, recomputed, sorted);

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
        rows++;
        if (!TryFast(logits, temperatures, token, fullRows, capturedRows))
        {
            FeatureInput.CheckLogits(logits);
            FeatureInput.CheckToken(logits, token);
            if (!TryWithoutMasked(logits, temperatures, token, fullRows, capturedRows))
                ComputeSorted(logits, temperatures, token, fullRows, capturedRows);
        }
        // The buffers are reached by address below here: they must outlive the last use of their owner.
        GC.KeepAlive(this);
    }

    private bool TryFast(
        ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> fullRows, Span<double> capturedRows) =>
        histogram is not null && (uint)token < (uint)logits.Length && !float.IsNegativeInfinity(logits[token])
        && (TryRounded(logits, temperatures, token, fullRows, capturedRows)
            || TryHistogram(logits, temperatures, token, fullRows, capturedRows));

    private bool IsLong(int tokens) =>
        tokens is >= HistogramFrom and <= LogitHistogram.MaxVocabulary && tokens / TokensPerCaptured >= captureSize;

    /// <summary>A row of bfloat16 numbers: its distinct values and how often each occurs.</summary>
    private bool TryRounded(
        ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> fullRows, Span<double> capturedRows)
    {
        if (!BfloatHistogram.LooksRounded(logits) || !bfloat!.TryFill(logits, full)) return false;
        rounded++;
        full.Complete();
        var x = logits[token];
        var group = full.GroupOf(x);
        var rank = full.TokensBefore(group) + 1 + CountAtLeast(logits[..token], x) - CountAbove(logits[..token], x);
        WriteFull(group, rank, temperatures, fullRows);
        if (capturedRows.Length == 0) return true;
        captured.Clear();
        var left = captureSize;
        for (var i = 0; i < full.Distinct && left > 0; i++)
        {
            var tokens = Math.Min(left, full.TokensOf(i));
            captured.Add(full.LogitOf(i), tokens);
            left -= tokens;
        }
        var mass = full.MassOfFirst(captureSize) + (rank > captureSize ? full.ProbabilityOf(group) : 0);
        WriteCaptured(x, mass, rank, temperatures, capturedRows);
        return true;
    }

    /// <summary>The fast path, for long rows without masks.</summary>
    private bool TryHistogram(
        ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> fullRows, Span<double> capturedRows)
    {
        var outcome = histogram!.TryCompute(logits, temperatures, token, fullRows);
        if (outcome == HistogramFeatures.Outcome.Undecided) recomputed++;
        if (outcome != HistogramFeatures.Outcome.Done) return false;
        if (capturedRows.Length == 0) return true;
        captured.Clear();
        captured.AddAll(histogram.TopLogits[..captureSize]);
        var mass = histogram.MassOfTop(captureSize)
            + (histogram.RankX > captureSize ? DeterministicMath.Exp(histogram.LogP(logits[token])) : 0);
        WriteCaptured(logits[token], mass, histogram.RankX, temperatures, capturedRows);
        return true;
    }

    /// <summary>Masked tokens stand last and weigh nothing: where enough others are left, the row without them is computed.</summary>
    private bool TryWithoutMasked(
        ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> fullRows, Span<double> capturedRows)
    {
        if (histogram is null) return false;
        int left = 0, x = 0;
        for (var id = 0; id < logits.Length; id++)
        {
            if (id == token) x = left;
            if (!float.IsNegativeInfinity(logits[id])) unmasked[left++] = logits[id];
        }
        return left < logits.Length && IsLong(left)
            && TryHistogram(unmasked.AsSpan(0, left), temperatures, x, fullRows, capturedRows);
    }

    /// <summary>Every row, by sorting its logits.</summary>
    private void ComputeSorted(
        ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> fullRows, Span<double> capturedRows)
    {
        sorted++;
        var descending = sort.Sort(logits);
        full.Clear();
        full.AddAll(descending);
        full.Complete();
        var (group, rank) = (full.GroupOf(logits[token]), Rank(logits, token));
        WriteFull(group, rank, temperatures, fullRows);
        if (capturedRows.Length == 0) return;

        captured.Clear();
        var kept = Math.Min(captureSize, descending.Length);
        captured.AddAll(descending[..kept]);
        var mass = full.MassOfFirst(kept) + (rank > captureSize ? full.ProbabilityOf(group) : 0);
        WriteCaptured(logits[token], mass, rank, temperatures, capturedRows);
    }

    private void WriteFull(int group, int rank, ReadOnlySpan<double> temperatures, Span<double> fullRows)
    {
        for (var i = 0; i < temperatures.Length; i++)
            full.Write(temperatures[i], group, rank, fullRows.Slice(i * TokenFeatures.FullCount, TokenFeatures.FullCount));
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
    private static int Rank(ReadOnlySpan<float> logits, int token) =>
        1 + CountAtLeast(logits[..token], logits[token]) + CountAbove(logits[(token + 1)..], logits[token]);

    private static int CountAtLeast(ReadOnlySpan<float> logits, float z)
    {
        int count = 0, i = 0;
        for (; i <= logits.Length - 16; i += 16)
            count += BitOperations.PopCount(Vector512.GreaterThanOrEqual(Vector512.Create(logits.Slice(i, 16)), Vector512.Create(z)).ExtractMostSignificantBits());
        foreach (var other in logits[i..]) count += other >= z ? 1 : 0;
        return count;
    }

    private static int CountAbove(ReadOnlySpan<float> logits, float z)
    {
        int count = 0, i = 0;
        for (; i <= logits.Length - 16; i += 16)
            count += BitOperations.PopCount(Vector512.GreaterThan(Vector512.Create(logits.Slice(i, 16)), Vector512.Create(z)).ExtractMostSignificantBits());
        foreach (var other in logits[i..]) count += other > z ? 1 : 0;
        return count;
    }
}
