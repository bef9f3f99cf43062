namespace Silo.Core.Statistics;

/// <summary>Collects the means of one series over resamples of its prompts.</summary>
internal ref struct ResampledMeans
{
    private readonly double[] values;
    private readonly int[]? defined;
    private readonly double[] means;
    private int kept;

    /// <summary>Prepares for so many resamples of the series, NaN being undefined.</summary>
    public ResampledMeans(ReadOnlySpan<double> perPrompt, int resamples)
    {
        values = perPrompt.ToArray();
        means = new double[resamples];
        if (!MidRanks.HasNaN(perPrompt)) return;
        defined = new int[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            if (double.IsNaN(values[i])) values[i] = 0;
            else defined[i] = 1;
        }
    }

    /// <summary>Takes the mean of the drawn prompts, unless none of them is defined.</summary>
    public void Take(ReadOnlySpan<int> drawn)
    {
        int count = drawn.Length;
        if (defined is not null)
        {
            count = 0;
            foreach (int prompt in drawn) count += defined[prompt];
        }
        if (count > 0) means[kept++] = Sum(drawn) / count;
    }

    /// <summary>The central interval of the means taken; null where there are none.</summary>
    public readonly Interval? Percentiles(double level) => Bootstrap.Percentiles(means.AsSpan(0, kept), level);

    // Four sums side by side: additions need not wait for each other.
    private readonly double Sum(ReadOnlySpan<int> drawn)
    {
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        int i = 0;
        for (; i + 4 <= drawn.Length; i += 4)
        {
            s0 += values[drawn[i]];
            s1 += values[drawn[i + 1]];
            s2 += values[drawn[i + 2]];
            s3 += values[drawn[i + 3]];
        }
        for (; i < drawn.Length; i++) s0 += values[drawn[i]];
        return s0 + s1 + (s2 + s3);
    }
}
