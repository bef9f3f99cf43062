namespace Silo.Core.Statistics;

/// <summary>Collects the means of one series over resamples of its prompts.</summary>
internal ref struct ResampledMeans
{
    private readonly double[] _values;
    private readonly int[]? _defined;
    private readonly double[] _means;
    private readonly int _count;
    private int _kept;

    /// <summary>Prepares for so many resamples of the series, NaN being undefined.</summary>
    public ResampledMeans(ReadOnlySpan<double> perPrompt, int resamples)
    {
        _values = perPrompt.ToArray();
        _means = new double[resamples];
        _count = _values.Length;
        if (!MidRanks.HasNaN(perPrompt)) return;
        _defined = new int[_values.Length];
        for (int i = 0; i < _values.Length; i++)
        {
            if (double.IsNaN(_values[i])) _values[i] = 0;
            else _defined[i] = 1;
        }
        _count = _defined.Sum();
    }

    /// <summary>Takes the mean of the drawn prompts, unless none of them is defined.</summary>
    public void Take(ReadOnlySpan<int> drawn)
    {
        int count = drawn.Length;
        if (_defined is not null)
        {
            count = 0;
            foreach (int prompt in drawn) count += _defined[prompt];
        }
        if (count > 0) _means[_kept++] = Sum(drawn) / count;
    }

    /// <summary>The central interval of the means taken; null with fewer than two values: one says nothing of a spread.</summary>
    public readonly Interval? Percentiles(double level) => _count < 2 ? null : Bootstrap.Percentiles(_means.AsSpan(0, _kept), level);

    // Four sums side by side: additions need not wait for each other.
    private readonly double Sum(ReadOnlySpan<int> drawn)
    {
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        int i = 0;
        for (; i + 4 <= drawn.Length; i += 4)
        {
            s0 += _values[drawn[i]];
            s1 += _values[drawn[i + 1]];
            s2 += _values[drawn[i + 2]];
            s3 += _values[drawn[i + 3]];
        }
        for (; i < drawn.Length; i++) s0 += _values[drawn[i]];
        return s0 + s1 + (s2 + s3);
    }
}
