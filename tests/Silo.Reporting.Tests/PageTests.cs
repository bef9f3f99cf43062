using Silo.Reporting.Build;
using Silo.Reporting.Page;
using Silo.Reporting.Tests.Synthetic;

namespace Silo.Reporting.Tests;

public class PageTests
{
    [Fact]
    public void The_page_is_written()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "synthetic.html");
        using var file = File.Create(path);
        HtmlReport.Write(ReportBuilder.Build(SyntheticRun.Source(prompts: 40, tokens: 120)), file);
        Assert.True(file.Length > 100_000);
    }
}
