using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Silo.Reporting.Page;

namespace Silo.Reporting.Tests.Page;

public partial class EscapeTests
{
    [Theory]
    [InlineData("<img src=x onerror='1'>", "&lt;img src=x onerror=&#39;1&#39;&gt;")]
    [InlineData("\"&amp;", "&quot;&amp;amp;")]
    [InlineData("a\u202Eb\u2066", "a\u27E8U+202E\u27E9b\u27E8U+2066\u27E9")]
    [InlineData("\u2028\uFEFF", "\u27E8U+2028\u27E9\u27E8U+FEFF\u27E9")]
    [InlineData("\0\r\n\t\u007F", "\u2400\u240D\n\t\u2421")]
    [InlineData("\uD83D\uDE00", "\uD83D\uDE00")]
    public void Text_becomes_text(string text, string expected) => Assert.Equal(expected, Html(text));

    [Fact]
    public void Half_a_surrogate_pair_becomes_a_replacement_character() =>
        Assert.Equal("a\uFFFDb\uFFFD", Html(new string(['a', '\uD800', 'b', '\uDC00'])));

    [Fact]
    public void No_string_gets_markup_through()
    {
        var nasty = Gen.ArrayOf(Gen.OneOf(Gen.Elements('<', '>', '&', '"', '\'', '\0', '\u202E', '\uD800', '\uDC00', '/', '-'), Gen.Choose(0, 0xFFFF).Select(i => (char)i))).Select(c => new string(c));
        Prop.ForAll(nasty.ToArbitrary(), text =>
        {
            var html = Html(text);
            return Unsafe().Count(html) == 0 && new UTF8Encoding(false, true).GetByteCount(html) > -1 && Escape.Visible(Escape.Visible(text)) == Escape.Visible(text);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_is_filled_into_markup_is_text_and_what_is_markup_stays() =>
        Assert.Equal("<b>&lt;i&gt; 1.5 7 <hr></b>", new Html().Add($"<b>{"<i>"} {1.5} {7} {new Markup("<hr>")}</b>").ToString());

    private static string Html(string text)
    {
        var to = new StringBuilder();
        Escape.Html(text, to);
        return to.ToString();
    }

    [GeneratedRegex("""[<>"']|&(?!(lt|gt|amp|quot|#39);)|[\x00-\x08\x0B-\x1F\u202A-\u202E\u2066-\u2069\u2028\u2029]""")]
    private static partial Regex Unsafe();
}
