using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Silo.Reporting.Page;

/// <summary>Markup that is ours: the only thing that <see cref="Html"/> writes without escaping it.</summary>
internal readonly record struct Markup(string Text);

/// <summary>
/// Writes markup from interpolated strings: the literal parts are ours and go out as they are, whatever is filled in is
/// text and stays text. A hostile string therefore cannot become markup by being forgotten.
/// </summary>
internal sealed class Html
{
    private readonly StringBuilder _out = new();

    /// <summary>Appends literals as they are and holes as text.</summary>
    public Html Add([InterpolatedStringHandlerArgument("")] ref Handler markup)
    {
        _ = markup;
        return this;
    }

    /// <summary>Appends what is already markup.</summary>
    public Html Add(Markup markup)
    {
        _out.Append(markup.Text);
        return this;
    }

    /// <summary>All that was written, as markup.</summary>
    public Markup ToMarkup() => new(_out.ToString());

    /// <inheritdoc/>
    public override string ToString() => _out.ToString();

    [InterpolatedStringHandler]
    internal readonly struct Handler(int literalLength, int formattedCount, Html html)
    {
        private readonly StringBuilder _out = html._out;

        // The compiler asks for this constructor's shape; the lengths are of no use to a shared buffer.
        public int Size { get; } = literalLength + formattedCount;

        public void AppendLiteral(string value) => _out.Append(value);

        public void AppendFormatted(string? value) => Escape.Html(value, _out);

        public void AppendFormatted(Markup value) => _out.Append(value.Text);

        public void AppendFormatted(int value) => _out.Append(CultureInfo.InvariantCulture, $"{value}");

        /// <summary>A coordinate: two decimals are a hundredth of a pixel.</summary>
        public void AppendFormatted(double value) => _out.Append(CultureInfo.InvariantCulture, $"{value:0.##}");
    }
}
