using System.Text.Json;
using Silo.Host.Tests.Fixtures;
using Silo.TestKit.Servers;

namespace Silo.Host.Tests.Clusters;

/// <summary>Hosts burn, are drained, and come back, while a campaign runs and somebody watches it.</summary>
[Collection(nameof(HostCluster))]
public sealed class LossTests(HostCluster cluster)
{
    [Fact]
    public async Task Whatever_host_is_killed_or_drained_the_campaign_ends_with_the_same_digest()
    {
        await cluster.ReadyAsync();
        using var folder = new TemporaryFolder();
        var file = folder.Write("e.json", Specs.Json("lossy", 40));
        await cluster.Ctl.RunAsync("submit", file, "--window", "6");
        await using var watch = cluster.Ctl.Start("watch", "lossy");

        await EndedAsync(watch, 3);
        await cluster.Inference[0].KillAsync();
        await cluster.Orchestrator.KillAsync();
        await cluster.Orchestrator.RestartAsync();
        await cluster.Inference[0].RestartAsync();
        await cluster.Orchestrator.ReadyAsync();

        await EndedAsync(watch, 12);
        Assert.Equal(0, await cluster.Inference[1].TerminateAsync());
        await cluster.Inference[1].RestartAsync();
        await cluster.Gateway.KillAsync();
        await cluster.Gateway.RestartAsync();

        // The watch has lost its gateway and its campaign's host on the way, and goes on.
        Assert.Equal(0, await watch.EndAsync());
        var end = Last(watch)!.Value;
        Assert.Equal(("finished", 40, 120, 0), (end.Text("status"), end.Whole("ended"), end.Whole("kept"), end.Whole("failed")));
        Assert.Equal((await Specs.RunLocallyAsync(folder, file)).Digest, end.Text("digest"));
        foreach (var host in cluster.Hosts) await host.ReadyAsync();
    }

    [Fact]
    public async Task A_host_whose_storage_is_gone_is_alive_but_not_ready_and_ends_in_time()
    {
        await cluster.ReadyAsync();
        using var folder = new TemporaryFolder();
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var host = cluster.Start("Orchestrator", null, $"Silo:Postgres:ConnectionStringFile={folder.Write("connection", postgres.ConnectionString)}", "Silo:ClusterId=alone", "Silo:DrainSeconds=1");
        await host.ReadyAsync();
        await postgres.StopAsync();
        Assert.Equal((503, 200), (await host.StatusAsync("/health/ready"), await host.StatusAsync("/health/live")));
        // It cannot say farewell to anyone, and does not wait for that for ever.
        Assert.InRange(await host.TerminateAsync(), 0, 1);
    }

    internal static async Task EndedAsync(HeldProcess watch, int prompts)
    {
        while (!(Last(watch) is { } status && status.Whole("ended") >= prompts))
        {
            Assert.False(watch.HasEnded, watch.Said);
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    internal static JsonElement? Last(HeldProcess watch)
    {
        var lines = watch.Said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 0 ? null : lines[^1].StartsWith('{') ? JsonElement.Parse(lines[^1]) : throw new InvalidOperationException(watch.Said);
    }
}
