using Microsoft.Playwright;

namespace Silo.Reporting.Tests.Browser;

/// <summary>A page of its own, with all that it complained of and all that it asked a network for.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;

    private OpenPage(IBrowserContext context, IPage page) => (_context, Page) = (context, page);

    public IPage Page { get; }

    /// <summary>Errors and warnings of the console, uncaught errors, violations of the policy.</summary>
    public List<string> Complaints { get; } = [];

    /// <summary>Requests for anything but the page itself.</summary>
    public List<string> Requests { get; } = [];

    public static async Task<OpenPage> At(
        Chromium chromium, Uri address, int width = 1280, int height = 900, ColorScheme theme = ColorScheme.Light, bool script = true)
    {
        var context = await chromium.Browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = theme,
            JavaScriptEnabled = script,
            ReducedMotion = ReducedMotion.Reduce,
            BypassCSP = false,
        });
        var opened = new OpenPage(context, await context.NewPageAsync());
        opened.Page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") opened.Complaints.Add(message.Text);
        };
        opened.Page.PageError += (_, error) => opened.Complaints.Add(error);
        opened.Page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(address.AbsoluteUri.Split('#')[0], StringComparison.Ordinal)) opened.Requests.Add(request.Url);
        };
        await opened.Page.GotoAsync(address.AbsoluteUri);
        return opened;
    }

    /// <summary>Saves what is seen, where SILO_SHOTS names a folder: for people who change the page.</summary>
    public async Task Shot(string name, bool whole = false)
    {
        if (Environment.GetEnvironmentVariable("SILO_SHOTS") is { Length: > 0 } folder)
            await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = whole });
    }

    public async ValueTask DisposeAsync() => await _context.CloseAsync();
}
