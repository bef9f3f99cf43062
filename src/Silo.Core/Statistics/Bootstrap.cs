using Silo.Core.Numerics;

namespace Silo.Core.Statistics;

/// <summary>
/// Percentile bootstrap intervals (Efron and Tibshirani 1993, chapter 13) of a mean over prompts: prompts, not items,
/// are what was sampled. Bounds are percentiles of the resampled means with linear interpolation.
/// </summary>
public static class Bootstrap
{
    /// <summary>A statistic of one prompt when each rater counts so many times; NaN where undefined.</summary>
    /// <param name="prompt">Index of the prompt.</param>
    /// <param name="multiplicity">How often each rater was drawn.</param>
    public delegate double PromptStatistic(int prompt, ReadOnlySpan<int> multiplicity);

    /// <summary>A statistic of all prompts when each counts so many times; null where undefined.</summary>
    /// <param name="times">How often each prompt was drawn.</param>
    public delegate double? WeightedStatistic(ReadOnlySpan<int> times);

    /// <summary>
    /// The interval of a statistic that is no mean over prompts: computed anew from each draw of as many prompts as there are; a draw
    /// in which it is undefined is discarded. The caller sees to it that at least two prompts have a say in it.
    /// </summary>
    /// <param name="prompts">Number of prompts.</param>
    /// <param name="statistic">The statistic under drawn prompts.</param>
    /// <param name="random">The stream to draw from.</param>
    /// <param name="resamples">Number of resamples, at least 1.</param>
    /// <param name="level">Coverage, in (0, 1).</param>
    public static Interval? OverPrompts(int prompts, WeightedStatistic statistic, CounterRandom random, int resamples = 2000, double level = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(resamples);
        var values = new double[resamples];
        var words = new ulong[(prompts + 1) / 2];
        var times = new int[prompts];
        int kept = 0;
        for (int resample = 0; resample < resamples; resample++)
        {
            Draw(random, resample, words, times);
            if (statistic(times) is { } value) values[kept++] = value;
        }
        return Percentiles(values.AsSpan(0, kept), level);
    }

    /// <summary>
    /// The interval of the mean over prompts. As many prompts as there are are drawn with replacement; undefined ones take
    /// part in the draw and not in its mean; a draw without any defined one is discarded. Null where fewer than two are
    /// defined: resamples of a single value are all alike, and would feign certainty.
    /// </summary>
    /// <param name="perPrompt">The statistic of each prompt, NaN where undefined, in a fixed order.</param>
    /// <param name="random">The stream to draw from.</param>
    /// <param name="resamples">Number of resamples, at least 1.</param>
    /// <param name="level">Coverage, in (0, 1).</param>
    public static Interval? MeanOverPrompts(
        ReadOnlySpan<double> perPrompt, CounterRandom random, int resamples = 2000, double level = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(resamples);
        var means = new ResampledMeans(perPrompt, resamples);
        var words = new ulong[(perPrompt.Length + 1) / 2];
        var drawn = new int[perPrompt.Length];
        for (int resample = 0; resample < resamples; resample++)
        {
            DrawPrompts(random, resample, words, drawn);
            means.Take(drawn);
        }
        return means.Percentiles(level);
    }

    /// <summary>
    /// The interval of the mean over prompts when other prompts and other raters might have been drawn: each resample draws
    /// prompts and, independently, raters with replacement, and the statistic is computed anew from the drawn raters.
    /// </summary>
    /// <param name="prompts">Number of prompts.</param>
    /// <param name="raters">Number of raters, matched by name over the prompts.</param>
    /// <param name="statistic">The statistic of one prompt under drawn raters.</param>
    /// <param name="random">The stream to draw from.</param>
    /// <param name="resamples">Number of resamples, at least 1.</param>
    /// <param name="level">Coverage, in (0, 1).</param>
    public static Interval? MeanOverPromptsAndRaters(
        int prompts, int raters, PromptStatistic statistic, CounterRandom random, int resamples = 2000, double level = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(resamples);
        CounterRandom promptDraws = random.Derive(0), raterDraws = random.Derive(1);
        var means = new double[resamples];
        var words = new ulong[(Math.Max(prompts, raters) + 1) / 2];
        var times = new int[prompts];
        var multiplicity = new int[raters];
        int kept = 0;
        for (int resample = 0; resample < resamples; resample++)
        {
            Draw(promptDraws, resample, words, times);
            Draw(raterDraws, resample, words, multiplicity);
            double sum = 0;
            int defined = 0;
            for (int prompt = 0; prompt < prompts; prompt++)
            {
                if (times[prompt] == 0) continue;
                double value = statistic(prompt, multiplicity);
                if (double.IsNaN(value)) continue;
                sum += times[prompt] * value;
                defined += times[prompt];
            }
            if (defined > 0) means[kept++] = sum / defined;
        }
        return Percentiles(means.AsSpan(0, kept), level);
    }

    /// <summary>The central interval of resampled values, which are sorted in place. Null where there are none.</summary>
    internal static Interval? Percentiles(Span<double> resampled, double level)
    {
        if (!(level > 0 && level < 1)) throw new ArgumentOutOfRangeException(nameof(level), level, "a level is inside (0, 1)");
        if (resampled.IsEmpty) return null;
        resampled.Sort();
        double tail = 50 * (1 - level);
        return new Interval(Percentile.OfSorted(resampled, tail), Percentile.OfSorted(resampled, 100 - tail));
    }

    /// <summary>The prompts of one resample.</summary>
    internal static void DrawPrompts(CounterRandom random, int resample, Span<ulong> words, Span<int> drawn)
    {
        random.Fill((ulong)resample, words);
        for (int draw = 0; draw < drawn.Length; draw++) drawn[draw] = IndexOfDraw(words, draw, drawn.Length);
    }

    private static void Draw(CounterRandom random, int resample, Span<ulong> words, Span<int> times)
    {
        random.Fill((ulong)resample, words[..((times.Length + 1) / 2)]);
        times.Clear();
        for (int draw = 0; draw < times.Length; draw++) times[IndexOfDraw(words, draw, times.Length)]++;
    }

    // 32 bits a draw: the bias, below count / 2^32, is far below the noise of any number of resamples.
    private static int IndexOfDraw(ReadOnlySpan<ulong> words, int draw, int count)
    {
        ulong bits = (uint)(words[draw >> 1] >> ((draw & 1) << 5));
        return (int)((bits * (ulong)count) >> 32);
    }
}
