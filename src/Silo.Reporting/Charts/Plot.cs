using System.Globalization;
using System.Text;
using Silo.Reporting.Page;

namespace Silo.Reporting.Charts;

/// <summary>
/// One SVG chart that fits any width without script: x is in per cent of the width, y in pixels, text keeps its size.
/// Lines and clouds of points are paths in an inner view that is stretched; their strokes are not.
/// </summary>
internal sealed class Plot(Axis x, Axis y, int height)
{
    private const int Inner = 1000;

    private readonly Html _grid = new();
    private readonly Html _inner = new();
    private readonly Html _outer = new();

    /// <summary>Place of a value on the x axis, in per cent.</summary>
    public double X(double value) => 100 * x.Place(value);

    /// <summary>Place of a value on the y axis, in pixels from the top.</summary>
    public double Y(double value) => height * (1 - y.Place(value));

    /// <summary>Grid lines and tick labels of both axes.</summary>
    public Plot Axes()
    {
        foreach (var tick in y.Ticks)
        {
            _grid.Add($"<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{Y(tick.Value)}\" y2=\"{Y(tick.Value)}\"/>");
            _outer.Add($"<text class=\"tick\" x=\"-6\" y=\"{Y(tick.Value) + 4}\" text-anchor=\"end\">{tick.Label}</text>");
        }
        foreach (var tick in x.Ticks)
        {
            _grid.Add($"<line class=\"tickmark\" x1=\"{X(tick.Value)}%\" x2=\"{X(tick.Value)}%\" y1=\"{height}\" y2=\"{height + 4}\"/>");
            _outer.Add($"<text class=\"tick\" x=\"{X(tick.Value)}%\" y=\"{height + 16}\" text-anchor=\"{Anchor(tick.Value)}\">{tick.Label}</text>");
        }
        return this;
    }

    /// <summary>A line through points; breaks where a value is undefined.</summary>
    public Plot Line(string style, IReadOnlyList<double> xs, IReadOnlyList<double> ys)
    {
        var path = new StringBuilder();
        var pen = 'M';
        for (var i = 0; i < xs.Count; i++)
        {
            if (!double.IsFinite(ys[i])) { pen = 'M'; continue; }
            Append(path, pen, xs[i], ys[i]);
            pen = 'L';
        }
        _inner.Add($"<path class=\"line {style}\" d=\"{new Markup(path.ToString())}\"/>");
        return this;
    }

    /// <summary>A filled band between two lines.</summary>
    public Plot Band(string style, IReadOnlyList<double> xs, IReadOnlyList<double> low, IReadOnlyList<double> high)
    {
        var path = new StringBuilder();
        for (var i = 0; i < xs.Count; i++) Append(path, i == 0 ? 'M' : 'L', xs[i], high[i]);
        for (var i = xs.Count - 1; i >= 0; i--) Append(path, 'L', xs[i], low[i]);
        _inner.Add($"<path class=\"band {style}\" d=\"{new Markup(path.ToString())}Z\"/>");
        return this;
    }

    /// <summary>A cloud of points: one path of strokes without length, whose round ends are the dots.</summary>
    public Plot Points(string style, IEnumerable<(double X, double Y)> points)
    {
        var path = new StringBuilder();
        foreach (var (px, py) in points)
        {
            if (!double.IsFinite(py)) continue;
            Append(path, 'M', px, py);
            path.Append("h0");
        }
        _inner.Add($"<path class=\"points {style}\" d=\"{new Markup(path.ToString())}\"/>");
        return this;
    }

    /// <summary>A rectangle over the whole height, from one x to another.</summary>
    public Plot Column(string style, double from, double to)
    {
        _grid.Add($"<rect class=\"{style}\" x=\"{X(from)}%\" y=\"0\" width=\"{X(to) - X(from)}%\" height=\"{height}\"/>");
        return this;
    }

    /// <summary>A straight line in the outer view.</summary>
    public Plot Segment(string style, double x1, double y1, double x2, double y2)
    {
        _outer.Add($"<line class=\"{style}\" x1=\"{X(x1)}%\" y1=\"{Y(y1)}\" x2=\"{X(x2)}%\" y2=\"{Y(y2)}\"/>");
        return this;
    }

    /// <summary>A text at a point, moved by some pixels.</summary>
    public Plot Label(string style, double atX, double atY, string text, double dx = 0, double dy = 0, string? anchor = null)
    {
        _outer.Add($"<text class=\"{style}\" x=\"{X(atX)}%\" y=\"{Y(atY) + dy}\" dx=\"{dx}\" text-anchor=\"{anchor ?? Anchor(atX)}\">{text}</text>");
        return this;
    }

    /// <summary>The chart; <paramref name="description"/> says in words what it shows.</summary>
    public Markup ToMarkup(string description) => new Html().Add(
        $"<div class=\"plot\"><svg class=\"chart\" role=\"img\" aria-label=\"{description}\" height=\"{height}\">{_grid.ToMarkup()}<svg viewBox=\"0 0 {Inner} {height}\" preserveAspectRatio=\"none\" width=\"100%\" height=\"{height}\">{_inner.ToMarkup()}</svg>{_outer.ToMarkup()}</svg></div>")
        .ToMarkup();

    private string Anchor(double value) => X(value) switch { < 4 => "start", > 96 => "end", _ => "middle" };

    private void Append(StringBuilder path, char pen, double px, double py) =>
        path.Append(CultureInfo.InvariantCulture, $"{pen}{x.Place(px) * Inner:0.#} {Y(py):0.#}");
}
