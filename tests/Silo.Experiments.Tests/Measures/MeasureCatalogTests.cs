using Silo.Core;
using Silo.Core.Features;
using Silo.Experiments.Measures;

namespace Silo.Experiments.Tests.Measures;

public class MeasureCatalogTests
{
    private static readonly MeasureCatalog s_catalog = MeasureCatalog.For(new MeasureCatalogOptions { ReferenceTemperatures = [1.5] });

    [Fact]
    public void It_holds_every_feature_in_every_form_under_distinct_names()
    {
        // 28 full and 31 captured features, 18 of each with a twin, seven aggregates; 13 baselines and measures of the text.
        Assert.Equal(7 * (28 + 31 + 2 * 18) + 13, s_catalog.Measures.Count);
        Assert.Equal(s_catalog.Measures.Count, s_catalog.Measures.Select(m => m.Name).Distinct().Count());
        foreach (var name in new[] { "leak.mean", "captured.leak.p90", "leak@1.5.mean", "captured.width_q_95@1.5.max", "gzip_ratio", "distinct_4" })
            Assert.Equal(name, s_catalog.Measures[s_catalog.IndexOf(name)].Name);
        Assert.Equal(-1, s_catalog.IndexOf("entropy_p@1.5.mean"));
    }

    [Fact]
    public void Experiments_with_the_same_options_share_a_catalog_and_of_many_some_are_let_go()
    {
        MeasureCatalogOptions options = new() { CaptureK = 77, ReferenceTemperatures = [0.7, 1.5], Primary = ["leak.mean"] };
        var first = MeasureCatalog.For(options);
        Assert.Same(first, MeasureCatalog.For(options with { ReferenceTemperatures = [0.7, 1.5] }));
        foreach (var other in new[] { options with { CaptureK = 78 }, options with { ReferenceTemperatures = [1.5, 0.7] }, options with { Primary = ["leak.p90"] }, options with { Primary = [] } })
        {
            Assert.NotSame(first, MeasureCatalog.For(other));
            Assert.Equal(other.CaptureK, MeasureCatalog.For(other).Options.CaptureK);
            Assert.Equal(other.ReferenceTemperatures, MeasureCatalog.For(other).Options.ReferenceTemperatures);
        }
        for (var k = 100; k < 140; k++) MeasureCatalog.For(options with { CaptureK = k });
        Assert.NotSame(first, MeasureCatalog.For(options));
    }

    [Fact]
    public void The_default_primary_family_has_no_two_that_rank_alike_and_names_every_baseline()
    {
        var primary = s_catalog.Measures.Where(m => m.Primary).ToArray();
        Assert.Equal(38, primary.Length);
        Assert.All(primary, m => Assert.Null(m.SameOrderAs));
        Assert.Equal(4, primary.Count(m => m.Baseline));
        Assert.DoesNotContain(primary, m => m.Feature is TokenFeature.N95Q or TokenFeature.Retained);
        // What another ranks alike is in the catalog all the same, and names a measure that exists.
        Assert.All(s_catalog.Measures.Where(m => m.SameOrderAs is not null), m => Assert.True(s_catalog.IndexOf(m.SameOrderAs!) >= 0, m.Name));
        Assert.Equal("leak.p10", s_catalog.Measures[s_catalog.IndexOf("retained.p90")].SameOrderAs);
    }

    [Fact]
    public void Every_measure_says_what_it_is_before_a_rank_is_seen() =>
        Assert.All(s_catalog.Measures, m =>
        {
            Assert.False(string.IsNullOrEmpty(m.Title) || string.IsNullOrEmpty(m.Unit) || string.IsNullOrEmpty(m.Definition) || string.IsNullOrEmpty(m.Source), m.Name);
            Assert.True(m.Minimum < m.Maximum, m.Name);
            Assert.NotEqual(MeasureNeeds.None, m.Needs);
        });

    [Fact]
    public void A_declared_family_replaces_the_default_one()
    {
        var catalog = MeasureCatalog.For(new MeasureCatalogOptions { Primary = ["leak.p90", "words"] });
        Assert.Equal(["leak.p90", "words"], catalog.Measures.Where(m => m.Primary).Select(m => m.Name));
        var unknown = Assert.Throws<SiloException>(() => MeasureCatalog.For(new MeasureCatalogOptions { Primary = ["leek.mean"] }));
        Assert.Contains("leek.mean", unknown.Message, StringComparison.Ordinal);
        Assert.Throws<SiloException>(() => MeasureCatalog.For(new MeasureCatalogOptions { Primary = ["retained.p10", "leak.p90"] }));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(double.NaN)]
    [InlineData(-1.0)]
    public void A_reference_temperature_that_is_not_positive_is_refused(double temperature) =>
        Assert.Throws<SiloException>(() => MeasureCatalog.For(new MeasureCatalogOptions { ReferenceTemperatures = [temperature] }));
}
