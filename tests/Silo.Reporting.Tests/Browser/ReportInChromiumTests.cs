using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Silo.Experiments.Spec;
using Silo.Reporting.Tests.Synthetic;

namespace Silo.Reporting.Tests.Browser;

public class ReportInChromiumTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task Axe_finds_nothing(int width, ColorScheme theme)
    {
        await using var opened = await OpenPage.At(chromium, chromium.Brief, width, theme: theme);
        // Axe looks at what is seen: everything is opened, and a card is shown. Long tables only repeat their rows.
        await opened.Page.EvaluateAsync("document.querySelectorAll('details').forEach(d => d.open = true); document.querySelectorAll('tbody tr:nth-child(n+4), .frow:nth-child(n+12), .multiples figure:nth-child(n+3), .view:not(.on)').forEach(r => r.remove())");
        await opened.Page.Locator(".tokens[data-text]").First.FocusAsync();
        await opened.Shot($"whole-{width}-{theme}", whole: true);

        // The page's policy allows no script but its own, so Axe cannot be put into it by a tag; it is evaluated.
        var result = await opened.Page.RunAxe();

        Assert.Empty(result.Violations.SelectMany(v => v.Nodes.Take(3).Select(n => $"{v.Id}: {n.Html[..Math.Min(200, n.Html.Length)]} {string.Join("; ", n.Any.Concat(n.All).Concat(n.None).Select(c => c.Message))}")));
        Assert.NotEmpty(result.Passes);
    }

    [Theory]
    [InlineData(360)]
    [InlineData(700)]
    [InlineData(1280)]
    public async Task The_page_never_goes_sideways(int width)
    {
        await using var opened = await OpenPage.At(chromium, chromium.Report, width);
        await opened.Page.EvaluateAsync("document.querySelectorAll('details').forEach(d => d.open = true)");

        Assert.Equal(width, await opened.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }

    [Fact]
    public async Task Nothing_is_asked_of_a_network_and_nothing_complains()
    {
        await using var opened = await OpenPage.At(chromium, chromium.Report);
        await opened.Page.Locator("label:has-text('full row, as measured')").First.ClickAsync();
        await opened.Page.Locator(".tokens span").First.HoverAsync();
        await opened.Page.EmulateMediaAsync(new() { Media = Media.Print });

        Assert.Empty(opened.Requests);
        Assert.Empty(opened.Complaints);
    }

    [Fact]
    public async Task A_script_that_is_not_the_pages_own_does_not_run()
    {
        await using var opened = await OpenPage.At(chromium, chromium.Report);

        await opened.Page.EvaluateAsync("const s = document.createElement('script'); s.textContent = 'window.foreign = true'; document.body.append(s)");

        Assert.False(await opened.Page.EvaluateAsync<bool>("window.foreign === true"));
        Assert.Contains(opened.Complaints, c => c.Contains("Content Security Policy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Switches_choose_gold_measures_pair_and_theme()
    {
        await using var opened = await OpenPage.At(chromium, chromium.Report);
        var page = opened.Page;
        var seen = page.Locator("#measures figure.view:visible");
        Assert.Equal("family", await seen.GetAttributeAsync("data-view"));

        await page.GetByRole(AriaRole.Radio, new() { Name = "humans/pairwise_majority" }).CheckAsync();
        await page.GetByRole(AriaRole.Radio, new() { Name = "captured top 60, as measured" }).CheckAsync();
        await page.GetByRole(AriaRole.Radio, new() { Name = "0.8 against 1.5" }).CheckAsync();
        await page.GetByRole(AriaRole.Radio, new() { Name = "dark" }).CheckAsync();

        Assert.Equal(1, await seen.CountAsync());
        Assert.Equal("1", await seen.GetAttributeAsync("data-gold"));
        Assert.Equal("captured", await seen.GetAttributeAsync("data-view"));
        Assert.Equal("0_8-1_5", await page.Locator("#pairs figure.view:visible").GetAttributeAsync("data-pair"));
        Assert.Equal("1", await page.Locator("#verdict .view:visible").GetAttributeAsync("data-gold"));
        Assert.Equal("rgb(20, 22, 26)", await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor"));
        await opened.Shot("dark-switched");
    }

    [Fact]
    public async Task A_row_of_the_forest_shows_its_numbers_on_hover_and_on_focus_and_leads_to_its_table()
    {
        await using var opened = await OpenPage.At(chromium, chromium.Report);
        var page = opened.Page;
        var links = page.Locator("#measures figure.view:visible .fname");
        await links.Nth(7).HoverAsync();
        await Assertions.Expect(page.Locator("#card")).ToContainTextAsync("confidence sequence");
        await opened.Shot("forest-card");

        await links.Nth(0).FocusAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("ArrowDown");
        Assert.Equal(await links.Nth(2).GetAttributeAsync("data-row"), await page.EvaluateAsync<string>("document.activeElement.dataset.row"));
        await Assertions.Expect(page.Locator("#card h4")).ToHaveTextAsync(await links.Nth(2).Locator(".fn").InnerTextAsync());

        await page.Keyboard.PressAsync("Enter");
        Assert.True(await page.Locator("#measures figure.view:visible details").First.EvaluateAsync<bool>("d => d.open"));
    }

    [Fact]
    public async Task Arrow_keys_walk_the_tokens_and_the_card_tells_of_each()
    {
        await using var opened = await OpenPage.At(chromium, chromium.Report);
        var page = opened.Page;
        var box = page.Locator(".tokens[data-text]").Nth(1);
        await box.FocusAsync();
        await Assertions.Expect(page.Locator("#card")).ToContainTextAsync("token 1 of");
        for (var i = 0; i < 4; i++) await page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(page.Locator("#card")).ToContainTextAsync("token 5 of");
        await Assertions.Expect(page.Locator("#card tbody tr")).ToHaveCountAsync(10);
        await Assertions.Expect(page.Locator("#live")).ToContainTextAsync("rank");
        await page.Keyboard.PressAsync("ArrowDown");
        var below = await box.EvaluateAsync<int>("b => Number(b.dataset.at)");
        Assert.True(below > 5);
        await opened.Shot("token-card");
        await page.Keyboard.PressAsync("ArrowUp");
        await page.Keyboard.PressAsync("End");
        await Assertions.Expect(box.Locator("span").Last).ToHaveClassAsync(new System.Text.RegularExpressions.Regex("cur"));
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Locator("#card")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task The_tint_follows_the_chosen_feature_with_one_scale_for_all_texts()
    {
        await using var opened = await OpenPage.At(chromium, chromium.Report);
        var page = opened.Page;
        var hottest = page.Locator(".tokens[data-text]").Nth(2);
        var before = await hottest.InnerHTMLAsync();

        await page.GetByRole(AriaRole.Radio, new() { Name = "rank of the token" }).CheckAsync();

        Assert.NotEqual(before, await hottest.InnerHTMLAsync());
        await Assertions.Expect(page.Locator("#tintlegend")).ToContainTextAsync("equal steps are equal ratios");
        await page.GetByRole(AriaRole.Radio, new() { Name = "leak" }).CheckAsync();
        // The script's tint is the one that the page was written with.
        Assert.Equal(before, await hottest.InnerHTMLAsync());
    }

    [Fact]
    public async Task The_first_tab_leads_past_the_contents_and_every_stop_can_be_seen()
    {
        await using var opened = await OpenPage.At(chromium, chromium.Report);
        var page = opened.Page;
        await page.Keyboard.PressAsync("Tab");
        Assert.Equal("Skip to the verdict", await page.EvaluateAsync<string>("document.activeElement.textContent"));
        await page.Keyboard.PressAsync("Enter");
        Assert.Equal("main", await page.EvaluateAsync<string>("document.activeElement.id"));
        for (var i = 0; i < 60; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            if (await page.EvaluateAsync<bool>("document.activeElement === document.body")) break;
            var seen = await page.EvaluateAsync<string>("""
                (() => { const e = document.activeElement, mark = e.type === 'radio' ? e.nextElementSibling : e, s = getComputedStyle(mark);
                return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 ? '' : e.outerHTML.slice(0, 120); })()
                """);
            Assert.Equal("", seen);
        }
    }

    [Fact]
    public async Task Without_script_everything_is_there()
    {
        await using var opened = await OpenPage.At(chromium, chromium.Report, script: false);

        Assert.Equal(await opened.Page.Locator(".view").CountAsync(), await opened.Page.Locator(".view:visible").CountAsync());
        Assert.Equal(0, await opened.Page.Locator("fieldset:visible").CountAsync());
        Assert.Empty(opened.Complaints);
    }

    [Fact]
    public async Task On_paper_the_same_content_is_printed_in_ink_on_white()
    {
        await using var opened = await OpenPage.At(chromium, chromium.Report, theme: ColorScheme.Dark);
        var pdf = await opened.Page.PdfAsync(new() { Format = "A4", PrintBackground = false });
        Assert.Equal("%PDF"u8.ToArray(), pdf[..4]);
        if (Environment.GetEnvironmentVariable("SILO_SHOTS") is { Length: > 0 } folder) await File.WriteAllBytesAsync(Path.Combine(folder, "report.pdf"), pdf, TestContext.Current.CancellationToken);

        await opened.Page.EmulateMediaAsync(new() { Media = Media.Print });
        await opened.Page.EvaluateAsync("dispatchEvent(new Event('beforeprint'))");
        Assert.Equal(0, await opened.Page.Locator("details:not([open])").CountAsync());
        Assert.Equal(0, await opened.Page.Locator("nav:visible, .switch:visible").CountAsync());
        Assert.Equal("rgb(29, 27, 24)", await opened.Page.EvaluateAsync<string>("getComputedStyle(document.body).color"));
    }

    [Fact]
    public async Task Hostile_texts_stay_text()
    {
        string[] hostile =
        [
            "</script><script>window.hacked = 1</script>", "<img src=x onerror='window.hacked = 2'>", "\u2028\u2029", "\u202Egnp.exe\u202C", "\uD800", "\0",
            "]]><!--", "%%script%%", "&lt;b&gt;", "'\"><svg onload=alert(1)>", new string('w', 100_000), "\u0645\u0631\u062D\u0628\u0627", "{{constructor}}", "\r\n",
        ];
        Prompt[] prompts = [.. hostile.Select((h, i) => new Prompt($"{i}{h[..Math.Min(40, h.Length)]}", h))];
        var address = chromium.Write("hostile.html", SyntheticRun.Source(tokens: 12, words: hostile, texts: prompts) with { Model = hostile[0], SpecFile = string.Concat(hostile) });
        await using var opened = await OpenPage.At(chromium, address, 360);
        var page = opened.Page;
        await page.EvaluateAsync("document.querySelectorAll('details').forEach(d => d.open = true)");
        var parsed = await page.EvaluateAsync<int>("""
            [...document.querySelectorAll('.tokens[data-text] span')].reduce((n, token) => {
              token.dispatchEvent(new PointerEvent('pointerover', { bubbles: true }));
              return n + document.querySelectorAll('#card img, #card script, #card svg, main img, main script').length;
            }, 0)
            """);

        Assert.Equal(0, parsed);
        Assert.True(await page.EvaluateAsync<bool>("window.hacked === undefined"));
        Assert.Empty(opened.Complaints);
        Assert.Empty(opened.Requests);
        Assert.Equal(360, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.DoesNotContain('\u202E', await page.ContentAsync());
        await opened.Shot("hostile");
    }
}
