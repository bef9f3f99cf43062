using Silo.Core.Numerics;

namespace Silo.Core.Statistics;

/// <summary>
/// Resamples of a set of prompts, drawn once and kept for the bootstraps of many statistics: the same bits as
/// <see cref="Bootstrap.MeanOverPrompts"/> from the same stream. 4 bytes for each prompt and resample. Safe for use by several
/// threads at once.
/// </summary>
public sealed class PromptResamples
{
    private readonly int[] _drawn;
    private readonly int _prompts, _resamples;

    /// <summary>Draws the resamples.</summary>
    /// <param name="prompts">Number of prompts.</param>
    /// <param name="random">The stream to draw from.</param>
    /// <param name="resamples">Number of resamples, at least 1.</param>
    public PromptResamples(int prompts, CounterRandom random, int resamples = 2000)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(resamples);
        (_prompts, _resamples, _drawn) = (prompts, resamples, new int[checked(prompts * resamples)]);
        var words = new ulong[(prompts + 1) / 2];
        for (int resample = 0; resample < resamples; resample++) Bootstrap.DrawPrompts(random, resample, words, Row(resample));
    }

    /// <summary>The percentile interval of the mean; null where nothing is defined.</summary>
    /// <param name="perPrompt">The statistic of each prompt, NaN where undefined, in a fixed order.</param>
    /// <param name="level">Coverage, in (0, 1).</param>
    /// <exception cref="ArgumentException">The number of prompts differs.</exception>
    public Interval? Mean(ReadOnlySpan<double> perPrompt, double level = 0.95)
    {
        MidRanks.RequireLength(_prompts, perPrompt.Length);
        var means = new ResampledMeans(perPrompt, _resamples);
        for (int resample = 0; resample < _resamples; resample++) means.Take(Row(resample));
        return means.Percentiles(level);
    }

    private Span<int> Row(int resample) => _drawn.AsSpan(resample * _prompts, _prompts);
}
