using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Silo.Host.Tests.Fixtures;

/// <summary>Prometheus with the configuration and rules of deploy/prometheus, pointed at a test's hosts and in more of a hurry.</summary>
internal sealed partial class PrometheusServer : IAsyncDisposable
{
    private static readonly HttpClient s_http = new();
    private readonly TemporaryFolder _folder = new();
    private readonly int _port = Ports.Next();
    private readonly HeldProcess _process;

    private PrometheusServer(string executable, IEnumerable<HostProcess> hosts)
    {
        var deployed = Path.Combine(Shared.Repository, "deploy", "prometheus");
        _folder.Write("rules.yml", File.ReadAllText(Path.Combine(deployed, "rules.yml")));
        var targets = string.Join(", ", hosts.Select(h => string.Create(CultureInfo.InvariantCulture, $"\"127.0.0.1:{h.HttpPort}\"")));
        var configuration = FirstTargets().Replace(File.ReadAllText(Path.Combine(deployed, "prometheus.yml")), $"targets: [{targets}]", 1).Replace("15s", "1s", StringComparison.Ordinal);
        _process = new HeldProcess(executable, [$"--config.file={_folder.Write("prometheus.yml", configuration)}", $"--storage.tsdb.path={_folder["data"]}", $"--web.listen-address=127.0.0.1:{_port}"]);
    }

    /// <summary>What Prometheus has said.</summary>
    public string Said => _process.Said;

    /// <summary>Starts Prometheus, or returns null where it is not installed.</summary>
    public static PrometheusServer? StartNew(IEnumerable<HostProcess> hosts) => Find("prometheus") is { } executable ? new PrometheusServer(executable, hosts) : null;

    /// <summary>A program in the path.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(d => Path.Combine(d, program)).FirstOrDefault(File.Exists);

    /// <summary>Asks the API.</summary>
    public async Task<JsonElement> AskAsync(string path)
    {
        using var answer = await s_http.GetAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}/api/v1/{path}")), TestContext.Current.CancellationToken);
        var json = JsonElement.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.True(json.Text("status") == "success", $"{Uri.UnescapeDataString(path)}: {json.GetRawText()}");
        return json.GetProperty("data");
    }

    /// <summary>The series that answer a query now, with their values.</summary>
    public async Task<(JsonElement Labels, string Value)[]> QueryAsync(string query) =>
        [.. (await AskAsync("query?query=" + Uri.EscapeDataString(query))).Items("result").Select(r => (r.GetProperty("metric"), r.GetProperty("value")[1].GetString()!))];

    /// <summary>Asks until the answer is as it should be: the hosts are asked every second, and only later rules are evaluated.</summary>
    public async Task UntilAsync(string query, Func<(JsonElement Labels, string Value)[], bool> holds)
    {
        for (var tries = 0; ; tries++)
        {
            var series = await QueryAsync(query);
            if (holds(series)) return;
            Assert.True(tries < 100, $"{query} answers:\n{string.Join('\n', series.Select(s => $"{s.Labels} {s.Value}"))}\n{Said}");
            await Task.Delay(300, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Dispose();
    }

    [GeneratedRegex(@"targets: \[[^\]]*\]")]
    private static partial Regex FirstTargets();
}
