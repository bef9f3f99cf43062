using Silo.Cluster.Contracts.Security;
using Silo.Host.Tests.Fixtures;

namespace Silo.Host.Tests.Clusters;

/// <summary>Who has no certificate of the cluster's authority gets no connection; who has no token gets no answer.</summary>
[Collection(nameof(HostCluster))]
public sealed class AccessTests(HostCluster cluster)
{
    [Fact]
    public async Task Without_a_certificate_of_the_clusters_authority_there_is_no_connection()
    {
        await cluster.ReadyAsync();
        using var folder = new TemporaryFolder();
        using var foreign = new Certificates(folder, "foreign");
        var stored = await cluster.StoredAsync();
        var token = cluster.TokenFile("valid", HostCluster.Everything, "*", TimeSpan.FromHours(1));
        var (stranger, expired, own) = (foreign.Sign("stranger"), cluster.Sign("expired", days: -1), cluster.Sign("own", days: 1));
        string[][] connections =
        [
            // No TLS at all; a certificate of another authority; one that is over; and one that is good, of somebody who believes in another authority.
            [],
            ["--cert", stranger.Certificate, "--key", stranger.Key, "--ca", cluster.AuthorityFile],
            ["--cert", expired.Certificate, "--key", expired.Key, "--ca", cluster.AuthorityFile],
            ["--cert", own.Certificate, "--key", own.Key, "--ca", foreign.AuthorityFile],
        ];
        foreach (var connection in connections)
        {
            var before = await ConnectionsRefusedAsync();
            await using var caller = new Ctl(["--gateway", cluster.Gateway.Gateway, "--token-file", token, "--connect-timeout", "600", .. connection]).Start("list");
            while (await ConnectionsRefusedAsync() == before)
            {
                Assert.False(caller.HasEnded, caller.Said);
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
            Assert.Empty(caller.Said);
        }
        (await new Ctl("--gateway", cluster.Gateway.Gateway, "--connect-timeout", "1").RunAsync("list")).Refuses("no gateway answers at 127.0.0.1", "within 1 s");
        Assert.Equal(stored, await cluster.StoredAsync());
    }

    [Fact]
    public async Task Without_a_valid_token_nothing_is_answered_and_nothing_changes()
    {
        await cluster.ReadyAsync();
        using var folder = new TemporaryFolder();
        var (file, ranks) = (folder.Write("e.json", Specs.Json("guarded", 2)), folder.Write("r.csv", "prompt,item,rater,rank\np1,t0.3-0,eve,1\n"));
        await cluster.Ctl.RunAsync("submit", file);
        var end = (await cluster.Ctl.RunAsync("watch", "guarded")).Json.GetRawText();
        var stored = await cluster.StoredAsync();
        var hour = TimeSpan.FromHours(1);
        (string? Token, string Reason)[] callers =
        [
            (null, "no token"),
            (folder.Write("nonsense", "nonsense"), "token not valid"),
            (cluster.TokenFile("foreign", HostCluster.Everything, "*", hour, signedWith: new byte[32]), "token not valid"),
            (cluster.TokenFile("expired", HostCluster.Everything, "*", TimeSpan.FromSeconds(1)), "token expired"),
            (cluster.TokenFile("other", HostCluster.Everything, "other", hour), "token is for another experiment"),
            (cluster.TokenFile("reader", Access.Read, "guarded", hour), "token lacks"),
        ];
        string[][] commands = [["cancel", "guarded"], ["window", "guarded", "7"], ["rank", "guarded", "--ranks", ranks], ["submit", file], ["status", "guarded"]];
        await Task.Delay(1_100, TestContext.Current.CancellationToken);
        foreach (var (token, reason) in callers)
        {
            var before = await CallsRefusedAsync(reason);
            // Every command without a token; a reader may read; two commands stand for all with the others.
            var refused = token is null ? commands : reason == "token lacks" ? commands[..^1] : commands[..2];
            await Task.WhenAll(refused.Select(async command => (await new Ctl(cluster.Connection(token)).RunAsync(command)).Refuses("refused", reason)));
            Assert.Equal(before + refused.Length, await CallsRefusedAsync(reason));
        }
        Assert.Equal(stored, await cluster.StoredAsync());
        Assert.Equal(end, (await new Ctl(cluster.Connection(cluster.TokenFile("reader", Access.Read, "guarded", hour))).RunAsync("status", "guarded")).Json.GetRawText());
        foreach (var host in cluster.Hosts) Assert.DoesNotContain("eyJ", host.Said, StringComparison.Ordinal);
    }

    private Task<double> ConnectionsRefusedAsync() => cluster.Gateway.MetricAsync("silo_connections_refused_total", "port=\"clients\"");

    private async Task<double> CallsRefusedAsync(string reason) =>
        (await Task.WhenAll(cluster.Hosts.Select(host => host.MetricAsync("silo_calls_refused_total", $"reason=\"{reason}")))).Sum();
}
