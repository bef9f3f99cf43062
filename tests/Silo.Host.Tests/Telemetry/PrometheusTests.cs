using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Silo.Host.Tests.Clusters;
using Silo.Host.Tests.Fixtures;

namespace Silo.Host.Tests.Telemetry;

/// <summary>What operators look at, asked of a real Prometheus that scrapes the hosts and evaluates the rules of deploy/prometheus.</summary>
[Collection(nameof(HostCluster))]
public sealed partial class PrometheusTests(HostCluster cluster)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_query_of_the_dashboard_and_every_metric_of_a_rule_is_answered_with_series()
    {
        await cluster.ReadyAsync();
        if (cluster.Prometheus is not { } prometheus)
        {
            Assert.Skip("Prometheus is not installed (Debian: apt-get install prometheus)");
            return;
        }
        using var folder = new TemporaryFolder();
        var ctl = cluster.Ctl;
        await ctl.RunAsync("submit", folder.Write("e.json", Specs.Json("observed", 200, maxTokens: 8)), "--window", "2");
        await using var watch = ctl.Start("watch", "observed");
        await LossTests.EndedAsync(watch, 3);
        // Paused, a campaign stands as it is while it is looked at.
        await ctl.RunAsync("pause", "observed");
        while (LossTests.Last(watch)!.Value.Whole("in_flight") > 0) await Task.Delay(100, Cancellation);
        await ctl.RunAsync("rank", "observed", "--ranks", folder.Write("r.csv",
            "prompt,item,rater,rank\n" + string.Concat(Enumerable.Range(1, 3).Select(p => $"p{p},t0.3-0,ann,{1 + p % 2}\np{p},t0.8-0,ann,{2 - p % 2}\np{p},t1.5-0,ann,3\n"))));
        await ctl.RunAsync("board", "observed");

        var rules = await RulesAsync(prometheus);
        string[] queries = [.. Dashboard(), .. rules.Select(r => r.Query).SelectMany(q => MetricName().Matches(q)).Select(m => m.Value).Distinct()];
        Assert.True(queries.Length > 30, $"{queries.Length} queries");
        await Task.WhenAll(queries.Select(query => prometheus.UntilAsync(query, series => series.Length > 0)));
        Assert.All(await RulesAsync(prometheus), rule => Assert.Equal(("ok", ""), (rule.Health, rule.Error)));

        // And they say what is so, as soon as the hosts were asked once more.
        Task SaysAsync(string query, string value) => prometheus.UntilAsync(query, series => series is [{ } only] && only.Value == value);
        foreach (var host in cluster.Hosts) await SaysAsync($$"""up{job="silo",instance="127.0.0.1:{{host.HttpPort}}"}""", "1");
        await SaysAsync("""silo_campaign_rated_prompts{experiment="observed",gold="mean_rank"}""", "3");
        await prometheus.UntilAsync("""silo_rho{experiment="observed",gold="mean_rank",measure="control.temperature"}""",
            series => series.Select(s => s.Labels.Text("bound")).Order().SequenceEqual(["estimate", "lower", "upper"]));
        var left = 200 - (await ctl.RunAsync("status", "observed")).Json.Whole("ended");
        await SaysAsync("""silo_campaign_backlog{experiment="observed",state="paused"}""", $"{left}");
        foreach (var positive in (string[])["silo:tokens:rate5m", "silo:generations_done:rate5m", "sum(silo_batch_fill_sum)", "sum(silo_queue_duration_seconds_count)", "sum(silo_features_time_seconds_total)", "sum(silo_engine_busy_seconds_total)"])
            await prometheus.UntilAsync(positive, series => series is [{ } only] && double.Parse(only.Value, CultureInfo.InvariantCulture) > 0);
        // What fails must have been there at zero before, or the first failure would be no increase.
        var states = (await prometheus.QueryAsync("group by (state) (silo_storage_writes_total)")).Select(s => s.Labels.Text("state")).ToHashSet();
        await prometheus.UntilAsync("group by (state) (silo_storage_failures_total)", series => states.IsSubsetOf(series.Select(s => s.Labels.Text("state"))));
        await ctl.RunAsync("cancel", "observed");
    }

    // Every query of every panel and variable, with the variables as they are when all is chosen.
    private static IEnumerable<string> Dashboard()
    {
        var dashboard = JsonElement.Parse(File.ReadAllText(Path.Combine(Shared.Repository, "deploy", "grafana", "dashboards", "silo.json")));
        foreach (var target in dashboard.Items("panels").SelectMany(p => p.TryGetProperty("targets", out var targets) ? targets.EnumerateArray() : []))
            yield return target.Text("expr").Replace("$experiment", ".*", StringComparison.Ordinal).Replace("$gold", ".*", StringComparison.Ordinal);
        foreach (var variable in dashboard.GetProperty("templating").Items("list"))
            yield return LabelValues().Replace(variable.GetProperty("query").Text("query"), "group by ($2) ($1)");
    }

    private static async Task<(string Query, string Health, string Error)[]> RulesAsync(PrometheusServer prometheus) =>
        [.. (await prometheus.AskAsync("rules")).Items("groups").SelectMany(g => g.Items("rules")).Select(r => (r.Text("query"), r.Text("health"), r.TryGetProperty("lastError", out var e) ? e.GetString()! : ""))];

    [GeneratedRegex(@"\b(silo[_:][a-z0-9_:]+|up)\b(?=[\s{)\[]|$)")]
    private static partial Regex MetricName();

    [GeneratedRegex(@"^label_values\((\w+), (\w+)\)$")]
    private static partial Regex LabelValues();
}
