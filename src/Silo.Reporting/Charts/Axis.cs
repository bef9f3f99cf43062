using Silo.Reporting.Page;

namespace Silo.Reporting.Charts;

/// <summary>A mark on an axis.</summary>
internal readonly record struct Tick(double Value, string Label);

/// <summary>Maps values to a place in [0, 1] along an axis.</summary>
internal sealed class Axis
{
    private readonly double _low, _high;

    private Axis(double low, double high, bool logarithmic, IReadOnlyList<Tick> ticks)
    {
        Logarithmic = logarithmic;
        (_low, _high) = logarithmic ? (Math.Log10(low), Math.Log10(high)) : (low, high);
        if (!(_high > _low)) (_low, _high) = (_low - 0.5, _low + 0.5);
        Ticks = ticks;
    }

    /// <summary>Whether equal distances are equal ratios.</summary>
    public bool Logarithmic { get; }

    /// <summary>The marks, ascending, all within the axis.</summary>
    public IReadOnlyList<Tick> Ticks { get; }

    /// <summary>The axis of a correlation, from -1 to 1, or only as far down as the data go.</summary>
    public static Axis Correlation(double lowest)
    {
        var low = lowest < -0.5 || double.IsNaN(lowest) ? -1 : -0.5;
        double[] marks = [-1, -0.5, 0, 0.5, 1];
        return new Axis(low, 1, false, [.. marks.Where(m => m >= low).Select(m => new Tick(m, m == 0 ? "0" : Numbers.Rho(m).Replace("0.50", ".5", StringComparison.Ordinal).Replace("1.00", "1", StringComparison.Ordinal)))]);
    }

    /// <summary>The axis of a share, from 0 to 100 %.</summary>
    public static Axis Share() =>
        new(0, 1, false, [new(0, "0"), new(0.25, "25"), new(0.5, "50"), new(0.75, "75"), new(1, "100\u00A0%")]);

    /// <summary>A linear axis around the values, with about four round marks.</summary>
    public static Axis Linear(double low, double high)
    {
        if (!double.IsFinite(low) || !double.IsFinite(high)) (low, high) = (0, 1);
        if (low == high) (low, high) = (low - Math.Max(1e-9, Math.Abs(low) * 0.1), high + Math.Max(1e-9, Math.Abs(high) * 0.1));
        var step = Math.Pow(10, Math.Floor(Math.Log10((high - low) / 3)));
        step *= new[] { 1.0, 2, 5, 10 }.First(m => (high - low) / (step * m) <= 4.01);
        var first = Math.Floor(low / step + 1e-9);
        var last = Math.Ceiling(high / step - 1e-9);
        var ticks = Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step);
        return new Axis(first * step, last * step, false, [.. ticks.Select(t => new Tick(t, Numbers.Mark(t)))]);
    }

    /// <summary>A logarithmic axis over whole decades, marked at each.</summary>
    public static Axis Log(double low, double high)
    {
        if (!(low > 0) || !double.IsFinite(low)) low = 1;
        if (!(high >= low) || !double.IsFinite(high)) high = low;
        var first = (int)Math.Floor(Math.Log10(low) + 1e-9);
        var last = Math.Max(first + 1, (int)Math.Ceiling(Math.Log10(high) - 1e-9));
        var ticks = Enumerable.Range(first, last - first + 1).Select(d => Math.Pow(10, d));
        return new Axis(Math.Pow(10, first), Math.Pow(10, last), true, [.. ticks.Select(t => new Tick(t, Numbers.Mark(t)))]);
    }

    /// <summary>An axis with the marks that are given.</summary>
    public static Axis Marked(double low, double high, IEnumerable<Tick> ticks) => new(low, high, false, [.. ticks]);

    /// <summary>The place of a value, clamped to the axis.</summary>
    public double Place(double value)
    {
        var v = Logarithmic ? Math.Log10(Math.Max(value, double.Epsilon)) : value;
        return Math.Clamp((v - _low) / (_high - _low), 0, 1);
    }
}
