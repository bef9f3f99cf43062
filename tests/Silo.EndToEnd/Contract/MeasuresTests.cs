namespace Silo.EndToEnd.Contract;

public class MeasuresTests
{
    [Fact]
    public async Task Every_measure_is_declared_with_direction_unit_range_source_and_needs()
    {
        var measures = (await SiloProcess.RunAsync("measures", "--json")).Json.Items("measures").ToArray();
        Assert.Equal(measures.Length, measures.Select(m => m.Text("name")).Distinct().Count());
        foreach (var name in new[] { "leak.mean", "captured.leak.p90", "leak@1.5.median", "self_perplexity", "mean_entropy", "mean_margin", "gzip_ratio", "distinct_4" })
            Assert.Contains(measures, m => m.Text("name") == name);
        Assert.All(measures, m =>
        {
            Assert.Contains(m.Text("direction"), new[] { "larger", "lower" });
            Assert.False(m.Text("unit") == "" || m.Text("definition") == "" || m.Text("source") == "", m.Text("name"));
            Assert.NotEmpty(m.Items("needs"));
            Assert.True((m.Number("minimum") ?? double.NegativeInfinity) < (m.Number("maximum") ?? double.PositiveInfinity), m.Text("name"));
        });
        // No measure is tested twice under two names.
        Assert.DoesNotContain(measures, m => m.GetProperty("primary").GetBoolean() && m.GetProperty("same_order_as").GetString() is not null);
        Assert.Equal(4, measures.Count(m => m.GetProperty("baseline").GetBoolean()));
    }
}
