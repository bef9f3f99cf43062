using Microsoft.Playwright;
using Silo.Reporting.Build;
using Silo.Reporting.Page;
using Silo.Reporting.Tests.Synthetic;

namespace Silo.Reporting.Tests.Browser;

/// <summary>One Chromium for all tests of a class, and the synthetic report as a file that it opens. Never anything from a network.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] s_places =
    [
        "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
        @"C:\Program Files\Google\Chrome\Application\chrome.exe",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("silo-report-").FullName;
    private IBrowser? _browser;
    private IPlaywright? _playwright;

    /// <summary>The browser; skips the running test, by name, where there is none.</summary>
    public IBrowser Browser
    {
        get
        {
            if (_browser is null)
                Assert.Skip("no Chromium (set SILO_CHROMIUM to its path, or install it: sudo apt-get install -y chromium)");
            return _browser;
        }
    }

    /// <summary>Address of the synthetic report.</summary>
    public Uri Report { get; private set; } = new("about:blank");

    /// <summary>Address of the same with short texts.</summary>
    public Uri Brief { get; private set; } = new("about:blank");

    public async ValueTask InitializeAsync()
    {
        var path = Environment.GetEnvironmentVariable("SILO_CHROMIUM") ?? Array.Find(s_places, File.Exists);
        if (string.IsNullOrEmpty(path)) return;
        Report = Write("report.html", SyntheticRun.Source(prompts: 12, tokens: 60));
        Brief = Write("short.html", SyntheticRun.Source(prompts: 1, tokens: 12));
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = path,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
        });
    }

    /// <summary>Writes a report and gives its address.</summary>
    public Uri Write(string name, ReportSource source)
    {
        var path = Path.Combine(_folder, name);
        using var file = File.Create(path);
        HtmlReport.Write(ReportBuilder.Build(source), file);
        return new Uri(path);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.CloseAsync();
        _playwright?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
