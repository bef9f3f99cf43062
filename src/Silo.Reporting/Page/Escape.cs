using System.Globalization;
using System.Text;

namespace Silo.Reporting.Page;

/// <summary>Makes any string harmless and honest to look at.</summary>
internal static class Escape
{
    /// <summary>
    /// Appends a string as HTML text that is safe in elements and quoted attributes. What would not be seen, or would
    /// change how its neighbours are seen, is written out: control characters by their pictures, controls of writing
    /// direction and line separators by their code point, half a surrogate pair as U+FFFD.
    /// </summary>
    public static void Html(string? text, StringBuilder to)
    {
        if (text is null) return;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                to.Append(c).Append(text[++i]);
                continue;
            }
            switch (c)
            {
                case '<': to.Append("&lt;"); break;
                case '>': to.Append("&gt;"); break;
                case '&': to.Append("&amp;"); break;
                case '"': to.Append("&quot;"); break;
                case '\'': to.Append("&#39;"); break;
                default: to.Append(Visible(c)); break;
            }
        }
    }

    /// <summary>A string that stands for text as <see cref="Html"/> shows it, not yet escaped.</summary>
    public static string Visible(string text)
    {
        var seen = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                seen.Append(text[i]).Append(text[++i]);
            else
                seen.Append(Visible(text[i]));
        return seen.ToString();
    }

    private static string Visible(char c) => c switch
    {
        '\n' or '\t' => c.ToString(),
        < ' ' => ((char)(0x2400 + c)).ToString(),
        '\u007F' => "\u2421",
        _ when char.IsSurrogate(c) => "\uFFFD",
        (>= '\u0080' and < '\u00A0') or '\u061C' or '\u200E' or '\u200F' or (>= '\u2028' and <= '\u202E')
            or (>= '\u2066' and <= '\u2069') or '\uFEFF' or '\uFFFE' or '\uFFFF' =>
            string.Create(CultureInfo.InvariantCulture, $"\u27E8U+{(int)c:X4}\u27E9"),
        _ => c.ToString(),
    };
}
