using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Silo.Reporting.Model;

namespace Silo.Reporting.Page;

/// <summary>
/// Writes the report: one HTML file that needs no network and no script to be read. A content security policy allows
/// exactly its own style sheet and its own script, by their hashes, and nothing else.
/// </summary>
public static class HtmlReport
{
    /// <summary>Writes the page as UTF-8.</summary>
    /// <param name="model">What it shows.</param>
    /// <param name="stream">Where it goes; left open.</param>
    public static void Write(ReportModel model, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(stream);
        var (style, script) = (Asset("report.css"), Asset("report.js"));
        var main = new Html().Add(VerdictSection.Write(model)).Add(MeasuresSection.Write(model)).Add(TemperatureSection.Write(model))
            .Add(MassSection.Write(model)).Add(PairsSection.Write(model)).Add(RunningSection.Write(model))
            .Add(RatersSection.Write(model)).Add(TextsSection.Write(model)).Add(HowSection.Write(model));
        Dictionary<string, string> parts = new()
        {
            ["policy"] = $"default-src 'none'; style-src '{Hash(style)}'; script-src '{Hash(script)}'; base-uri 'none'; form-action 'none'",
            ["title"] = new Html().Add($"{model.Run.Name} \u2013 Silo").ToString(),
            ["style"] = style,
            ["script"] = script,
            ["header"] = HeaderSection.Write(model).Text,
            ["contents"] = HeaderSection.Contents().Text,
            ["main"] = main.ToString(),
            ["data"] = Json(model.Texts),
        };
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true);
        // The skeleton is cut once, so that nothing in a part can be taken for a place to fill.
        foreach (var (piece, i) in Asset("report.html").Split("%%").Select((piece, i) => (piece, i)))
            writer.Write(i % 2 == 0 ? piece : parts[piece]);
    }

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>JSON that cannot end its element: the default encoder writes every &lt;, &gt;, &amp; and quote as \uXXXX.</summary>
    private static string Json(TextSection texts) => JsonSerializer.Serialize(texts, ReportJson.Default.TextSection);

    /// <summary>One of the parts of the page. Line ends are LF whatever the checkout made of them: browsers hash LF.</summary>
    private static string Asset(string name)
    {
        using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream($"Silo.Reporting.Assets.{name}")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().Replace("\r\n", "\n", StringComparison.Ordinal);
    }
}
