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

    private readonly int _vocabularySize;
    private readonly int _captureSize;
    private readonly WeightedTokens _full;
    private readonly WeightedTokens _captured;
    private readonly DescendingSort _sort;
    private readonly HistogramFeatures? _histogram;
    private readonly BfloatHistogram? _bfloat;
    private readonly float[] _unmasked;
    private long _rows, _rounded, _recomputed, _sorted;

    /// <param name="vocabularySize">V, the length of every row, at least 1.</param>
    /// <param name="captureSize">K, the number of captured tokens, at least 1.</param>
    public FeatureKernel(int vocabularySize, int captureSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(captureSize, 1);
        _vocabularySize = vocabularySize;
        _captureSize = captureSize;
        _full = new WeightedTokens(vocabularySize);
        _captured = new WeightedTokens(Math.Min(vocabularySize, captureSize + 1));
        _sort = new DescendingSort(vocabularySize);
        _unmasked = [];
        if (!IsLong(vocabularySize)) return;
        _histogram = new HistogramFeatures(vocabularySize, Math.Max(TopTokens, captureSize));
        _bfloat = new BfloatHistogram();
        _unmasked = new float[vocabularySize];
    }

    /// <summary>Which way the rows went since construction.</summary>
    public KernelStatistics Statistics => new(_rows, _rounded, _recomputed, _sorted);

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
        if (logits.Length != _vocabularySize) throw new ArgumentException($"{_vocabularySize} logits expected", nameof(logits));
        if (fullRows.Length != temperatures.Length * TokenFeatures.FullCount)
            throw new ArgumentException("one full row per temperature expected", nameof(fullRows));
        if (capturedRows.Length != 0 && capturedRows.Length != temperatures.Length * TokenFeatures.CapturedCount)
            throw new ArgumentException("one captured row per temperature expected", nameof(capturedRows));
        foreach (var temperature in temperatures) FeatureInput.CheckTemperature(temperature);
        _rows++;
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
        _histogram is not null && (uint)token < (uint)logits.Length && !float.IsNegativeInfinity(logits[token])
        && (TryRounded(logits, temperatures, token, fullRows, capturedRows)
            || TryHistogram(logits, temperatures, token, fullRows, capturedRows));

    private bool IsLong(int tokens) =>
        tokens is >= HistogramFrom and <= LogitHistogram.MaxVocabulary && tokens / TokensPerCaptured >= _captureSize;

    /// <summary>A row of bfloat16 numbers: its distinct values and how often each occurs.</summary>
    private bool TryRounded(
        ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> fullRows, Span<double> capturedRows)
    {
        if (!BfloatHistogram.LooksRounded(logits) || !_bfloat!.TryFill(logits, _full)) return false;
        _rounded++;
        _full.Complete();
        var x = logits[token];
        var group = _full.GroupOf(x);
        var rank = _full.TokensBefore(group) + 1 + CountAtLeast(logits[..token], x) - CountAbove(logits[..token], x);
        WriteFull(group, rank, temperatures, fullRows);
        if (capturedRows.Length == 0) return true;
        _captured.Clear();
        var left = _captureSize;
        for (var i = 0; i < _full.Distinct && left > 0; i++)
        {
            var tokens = Math.Min(left, _full.TokensOf(i));
            _captured.Add(_full.LogitOf(i), tokens);
            left -= tokens;
        }
        var mass = _full.MassOfFirst(_captureSize) + (rank > _captureSize ? _full.ProbabilityOf(group) : 0);
        WriteCaptured(x, mass, rank, temperatures, capturedRows);
        return true;
    }

    /// <summary>The fast path, for long rows without masks.</summary>
    private bool TryHistogram(
        ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> fullRows, Span<double> capturedRows)
    {
        var outcome = _histogram!.TryCompute(logits, temperatures, token, fullRows);
        if (outcome == HistogramFeatures.Outcome.Undecided) _recomputed++;
        if (outcome != HistogramFeatures.Outcome.Done) return false;
        if (capturedRows.Length == 0) return true;
        _captured.Clear();
        _captured.AddAll(_histogram.TopLogits[.._captureSize]);
        var mass = _histogram.MassOfTop(_captureSize)
            + (_histogram.RankX > _captureSize ? DeterministicMath.Exp(_histogram.LogP(logits[token])) : 0);
        WriteCaptured(logits[token], mass, _histogram.RankX, temperatures, capturedRows);
        return true;
    }

    /// <summary>Masked tokens stand last and weigh nothing: where enough others are left, the row without them is computed.</summary>
    private bool TryWithoutMasked(
        ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> fullRows, Span<double> capturedRows)
    {
        if (_histogram is null) return false;
        int left = 0, x = 0;
        for (var id = 0; id < logits.Length; id++)
        {
            if (id == token) x = left;
            if (!float.IsNegativeInfinity(logits[id])) _unmasked[left++] = logits[id];
        }
        return left < logits.Length && IsLong(left)
            && TryHistogram(_unmasked.AsSpan(0, left), temperatures, x, fullRows, capturedRows);
    }

    /// <summary>Every row, by sorting its logits.</summary>
    private void ComputeSorted(
        ReadOnlySpan<float> logits, ReadOnlySpan<double> temperatures, int token, Span<double> fullRows, Span<double> capturedRows)
    {
        _sorted++;
        var descending = _sort.Sort(logits);
        _full.Clear();
        _full.AddAll(descending);
        _full.Complete();
        var (group, rank) = (_full.GroupOf(logits[token]), Rank(logits, token));
        WriteFull(group, rank, temperatures, fullRows);
        if (capturedRows.Length == 0) return;

        _captured.Clear();
        var kept = Math.Min(_captureSize, descending.Length);
        _captured.AddAll(descending[..kept]);
        var mass = _full.MassOfFirst(kept) + (rank > _captureSize ? _full.ProbabilityOf(group) : 0);
        WriteCaptured(logits[token], mass, rank, temperatures, capturedRows);
    }

    private void WriteFull(int group, int rank, ReadOnlySpan<double> temperatures, Span<double> fullRows)
    {
        for (var i = 0; i < temperatures.Length; i++)
            _full.Write(temperatures[i], group, rank, fullRows.Slice(i * TokenFeatures.FullCount, TokenFeatures.FullCount));
    }

    /// <summary>Completes the captured tokens, which are all added but x where it lies outside, and writes their features.</summary>
    private void WriteCaptured(float x, double mass, int rank, ReadOnlySpan<double> temperatures, Span<double> capturedRows)
    {
        var appended = rank > _captureSize;
        var group = appended ? _captured.Add(x, 1) : _captured.GroupOf(x);
        _captured.Complete();
        var size = Math.Min(_captureSize, _vocabularySize) + (appended ? 1 : 0);
        for (var i = 0; i < temperatures.Length; i++)
        {
            var row = capturedRows.Slice(i * TokenFeatures.CapturedCount, TokenFeatures.CapturedCount);
            _captured.Write(temperatures[i], group, appended ? _captureSize + 1 : rank, row);
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
