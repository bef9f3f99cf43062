using Silo.Core.Features;
using Silo.Experiments.Generation;

namespace Silo.Models;

/// <summary>Collects a text's feature rows, step by step.</summary>
internal sealed class TraceBuilder
{
    private readonly double[] _temperatures;
    private readonly int _captureK;
    private double[] _full, _captured;

    /// <param name="temperature">The text's own temperature; for a greedy text (0) rows are computed at 1.</param>
    /// <param name="references">Further temperatures.</param>
    /// <param name="captureK">K of the captured features.</param>
    /// <param name="steps">Steps to make room for at first.</param>
    public TraceBuilder(double temperature, IReadOnlyList<double> references, int captureK, int steps)
    {
        _temperatures = [temperature == 0 ? 1 : temperature, .. references];
        _captureK = captureK;
        (_full, _captured) = (new double[steps * FullRow], new double[steps * CapturedRow]);
    }

    private int FullRow => _temperatures.Length * TokenFeatures.FullCount;

    private int CapturedRow => _temperatures.Length * TokenFeatures.CapturedCount;

    /// <summary>Makes room for a step. Not to be called while steps are computed.</summary>
    public void Reserve(int steps)
    {
        if (_full.Length >= steps * FullRow) return;
        var room = Math.Max(steps, 2 * _full.Length / FullRow);
        Array.Resize(ref _full, room * FullRow);
        Array.Resize(ref _captured, room * CapturedRow);
    }

    /// <summary>Computes the rows of a step. Different steps may be computed by different threads at once.</summary>
    public void Compute(int step, ReadOnlySpan<float> logits, int token, TokenWorker worker) => worker.Kernel(_captureK).Compute(
        logits, _temperatures, token, _full.AsSpan(step * FullRow, FullRow), _captured.AsSpan(step * CapturedRow, CapturedRow));

    /// <summary>The rows of the first <paramref name="steps"/> steps.</summary>
    public TokenTrace Build(int steps) => new(steps, _temperatures, _full[..(steps * FullRow)], _captured[..(steps * CapturedRow)]);
}
