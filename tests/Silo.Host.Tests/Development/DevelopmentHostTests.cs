using System.Net;
using System.Net.Sockets;
using Silo.Host.Tests.Fixtures;

namespace Silo.Host.Tests.Development;

/// <summary>The host that everyone tries first: all in one, on this machine, open.</summary>
public sealed class DevelopmentHostTests
{
    [Fact]
    public async Task An_all_in_one_host_gives_the_digest_of_the_local_run_and_ends_when_it_is_asked_to()
    {
        using var folder = new TemporaryFolder();
        await using var host = new HostProcess("Silo.Host.Cpu", ["Silo:Development=true"]);
        await host.ReadyAsync();
        Assert.Equal((200, 200, 200), (await host.StatusAsync("/health/live"), await host.StatusAsync("/health/ready"), await host.StatusAsync("/metrics")));
        Assert.Contains("open to everyone on this machine", host.Said, StringComparison.Ordinal);
        AssertClosedToOthers(host);

        var file = folder.Write("e.json", Specs.Json("tried", 3));
        var ctl = new Ctl("--gateway", host.Gateway);
        Assert.Equal("accepted", (await ctl.RunAsync("submit", file)).Json.Text("outcome"));
        var end = (await ctl.RunAsync("watch", "tried")).Json;
        Assert.Equal(("finished", 3, 9), (end.Text("status"), end.Whole("ended"), end.Whole("kept")));
        Assert.Equal((await Specs.RunLocallyAsync(folder, file)).Digest, end.Text("digest"));
        Assert.Equal(9, await host.MetricAsync("silo_generations_total", "state=\"done\""));

        Assert.Equal(0, (await SiloProcess.RunInAsync(Path.Combine(Shared.Repository, "src", "Silo.Host.Cpu", "bin", SiloProcess.Configuration, "net10.0", "Silo.Host.Cpu"),
            folder.Path, "health", $"--Silo:HttpPort={host.HttpPort}", "--Silo:Development=true")).ExitCode);
        Assert.Equal(0, await host.TerminateAsync());
    }

    [Theory]
    [InlineData("Silo.Host.Cpu", 2, "Silo:Storage is Memory", "Silo:Role=AllInOne")]
    [InlineData("Silo.Host.Cpu", 2, "Silo:Tls:CertificateFile is not set", "Silo:Storage=Postgres")]
    [InlineData("Silo.Host.Cpu", 2, "Silo:Storage cannot be Postgres", "Silo:Development=true", "Silo:Storage=Postgres")]
    [InlineData("Silo.Host.Cpu", 2, "'Window'", "Silo:Development=true", "Silo:Window=3")]
    [InlineData("Silo.Host.Cpu", 1, "this executable is Inference or AllInOne", "Silo:Development=true", "Silo:Role=Gateway")]
    [InlineData("Silo.Host", 1, "this executable is an Orchestrator or a Gateway", "Silo:Development=true")]
    [InlineData("Silo.Host.Cpu", 1, "none.gguf", "Silo:Development=true", "Silo:Model:Path=/none.gguf")]
    public async Task A_wrong_setting_is_said_in_one_line(string project, int exitCode, string line, params string[] settings)
    {
        await using var host = new HostProcess(project, settings);
        Assert.Equal(exitCode, await host.EndAsync());
        Assert.Contains(line, Assert.Single(host.Said.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    // Loopback alone: no other address of this machine answers.
    private static void AssertClosedToOthers(HostProcess host)
    {
        foreach (var address in Dns.GetHostAddresses(Dns.GetHostName(), AddressFamily.InterNetwork).Where(a => !IPAddress.IsLoopback(a)))
            foreach (var port in (int[])[host.HttpPort, host.GatewayPort, host.SiloPort])
            {
                using var client = new TcpClient();
                Assert.Throws<SocketException>(() => client.Connect(address, port));
            }
    }
}
