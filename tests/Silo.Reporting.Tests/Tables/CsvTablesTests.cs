using System.Globalization;
using Silo.Reporting.Build;
using Silo.Reporting.Tables;
using Silo.Reporting.Tests.Synthetic;

namespace Silo.Reporting.Tests.Tables;

public class CsvTablesTests
{
    [Fact]
    public void A_table_quotes_what_needs_it_and_leaves_the_undefined_empty()
    {
        var table = new CsvTable("t", "a", "b", "c", "d");
        table.Row("x,\"y\"", 0.1, double.NaN, null);
        table.Row("two\nlines", -0.0, 7, true);

        Assert.Equal("a,b,c,d\n\"x,\"\"y\"\"\",0.1,,\n\"two\nlines\",-0,7,true\n", table.Text);
        Assert.Throws<ArgumentException>(() => table.Row("too few"));
    }

    [Fact]
    public void Every_measure_and_gold_stands_in_the_tables_unrounded_with_the_sign_of_the_board()
    {
        var model = ReportBuilder.Build(SyntheticRun.Source(prompts: 6, tokens: 8));
        var tables = CsvTables.All(model).ToDictionary(t => t.Name, t => t.Text.Split('\n')[..^1].Select(l => l.Split(',')).ToList());

        var measures = tables["measures"];
        Assert.Equal(model.Board.Results.Count, measures.Count - 1);
        var rho = Array.IndexOf(measures[0], "rho_within");
        foreach (var (result, line) in model.Board.Results.Zip(measures.Skip(1)))
        {
            Assert.Equal((result.Gold, result.Feature), (line[0], line[1]));
            Assert.Equal(result.RhoWithin is { } r ? r.ToString("R", CultureInfo.InvariantCulture) : "", line[rho]);
        }
        Assert.Equal(model.Board.Results.Sum(r => r.Differences.Count), tables["differences"].Count - 1);
        Assert.Equal(model.Board.Results.Sum(r => r.PairAccuracy.Count), tables["pairs"].Count - 1);
        Assert.Equal(model.Raters.Raters.Count, tables["raters"].Count - 1);
        Assert.Contains(measures.Skip(1), l => l.Contains("not_better") || l.Contains("undecided") || l.Contains("better"));
    }

    [Fact]
    public void Every_file_that_the_page_names_is_written()
    {
        var model = ReportBuilder.Build(SyntheticRun.Source(prompts: 3, tokens: 6));
        using var page = new MemoryStream();
        Reporting.Page.HtmlReport.Write(model, page);
        var html = System.Text.Encoding.UTF8.GetString(page.ToArray());
        var named = System.Text.RegularExpressions.Regex.Matches(html, "href=\"tables/([a-z_]+)\\.csv\"").Select(m => m.Groups[1].Value).Distinct();

        Assert.Subset(CsvTables.All(model).Select(t => t.Name).ToHashSet(), named.ToHashSet());
    }
}
