using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Silo.Cluster.Contracts;
using Silo.Cluster.Grains.Campaigns;
using Silo.Cluster.Grains.Correlations;
using Silo.Models;

namespace Silo.Cluster.Tests.Telemetry;

/// <summary>What is deployed for operators names what there is.</summary>
public partial class MetricNamesTests
{
    private static readonly string[] s_deployed = ["deploy/grafana/dashboards/silo.json", "deploy/prometheus/rules.yml", "docs/runbook.md"];

    [Fact]
    public void Every_metric_that_a_rule_a_panel_or_the_runbook_names_exists()
    {
        var declared = Declared();
        var recorded = Record().Matches(Read("deploy/prometheus/rules.yml")).Select(m => m.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        foreach (var file in s_deployed)
            foreach (var name in Name().Matches(Read(file)).Select(m => m.Value))
                Assert.True((name.Contains(':', StringComparison.Ordinal) ? recorded : declared).Contains(name), $"{file} names {name}, which nothing sets");
        // And nothing that is measured is left without anybody to look at it.
        var shown = string.Concat(s_deployed.Select(Read));
        foreach (var name in declared)
            Assert.True(shown.Contains(HistogramPart().Replace(name, ""), StringComparison.Ordinal), $"{name} is in no rule, no panel and not in the runbook");
    }

    [Fact]
    public void Every_alert_has_its_place_in_the_runbook()
    {
        var runbook = Read("docs/runbook.md");
        var alerts = Alert().Matches(Read("deploy/prometheus/rules.yml"));
        Assert.NotEmpty(alerts);
        foreach (var alert in alerts.Select(a => a.Groups[1].Value))
        {
            Assert.Contains($"### {alert}\n", runbook, StringComparison.Ordinal);
            Assert.Contains($"docs/runbook.md#{alert.ToLowerInvariant()}", Read("deploy/prometheus/rules.yml"), StringComparison.Ordinal);
        }
    }

    // The names under which Prometheus shows our instruments.
    private static HashSet<string> Declared()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name is not (ClusterMetrics.MeterName or EngineMetrics.Name)) return;
                var name = instrument.Name.Replace('.', '_') + instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
                var kind = instrument.GetType().GetGenericTypeDefinition();
                if (kind == typeof(Histogram<>)) names.UnionWith([name + "_bucket", name + "_sum", name + "_count"]);
                else names.Add(kind == typeof(Counter<>) ? name + "_total" : name);
            },
        };
        listener.Start();
        using var metrics = new ClusterMetrics();
        _ = (new CampaignGauges(metrics, TimeProvider.System), new RhoGauges(metrics));
        RuntimeHelpers.RunClassConstructor(typeof(EngineMetrics).TypeHandle);
        return names;
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(Shared.Repository, file));

    [GeneratedRegex(@"\bsilo_[a-z0-9_]+|\bsilo:[a-z0-9_:]+")]
    private static partial Regex Name();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramPart();

    [GeneratedRegex(@"record: (\S+)")]
    private static partial Regex Record();

    [GeneratedRegex(@"alert: (\S+)")]
    private static partial Regex Alert();
}
