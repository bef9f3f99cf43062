using System.Text.RegularExpressions;
using Silo.Cluster.Hosting;

namespace Silo.Cluster.Tests.Deployment;

/// <summary>What is deployed and described sets what the hosts read: a setting that nobody knows keeps a host from starting.</summary>
public partial class SettingsTests
{
    [Theory]
    [InlineData("docker-compose.yml", 8)]
    [InlineData("deploy/kubernetes/silo.yaml", 8)]
    [InlineData("deploy/kubernetes/cuda.yaml", 3)]
    [InlineData("docs/runbook.md", 5)]
    public void Every_setting_exists(string file, int atLeast)
    {
        var settings = Setting().Matches(Read(file)).Select(m => m.Groups[1].Value.Replace("__", ":", StringComparison.Ordinal)).Distinct().ToArray();
        Assert.True(settings.Length >= atLeast, $"{settings.Length} settings in {file}");
        foreach (var setting in settings)
        {
            var at = typeof(SiloHostOptions);
            foreach (var part in setting.Split(':'))
                at = at.GetProperty(part)?.PropertyType ?? throw new InvalidOperationException($"{file}: Silo:{setting} is no setting of a host");
        }
    }

    [Fact]
    public void Ports_and_paths_are_those_that_hosts_have_unless_told_otherwise()
    {
        var options = new SiloHostOptions();
        foreach (var file in (string[])["deploy/kubernetes/silo.yaml", "deploy/kubernetes/cuda.yaml"])
        {
            var text = Read(file);
            Assert.All(ContainerPort().Matches(text), m => Assert.Equal(m.Groups[1].Value switch { "silo" => options.SiloPort, "gateway" => options.GatewayPort, _ => options.HttpPort }, int.Parse(m.Groups[2].Value)));
            Assert.All(Probe().Matches(text), m => Assert.Equal(m.Groups[1].Value == "liveness" ? "/health/live" : "/health/ready", m.Groups[2].Value));
            // Longer than a host may take, or it is killed while it hands over.
            Assert.All(Grace().Matches(text), m => Assert.True(int.Parse(m.Groups[1].Value) > options.DrainSeconds + 10));
        }
        Assert.Contains($"127.0.0.1:{options.GatewayPort}:{options.GatewayPort}", Read("docker-compose.yml"), StringComparison.Ordinal);
        Assert.Contains($"stop_grace_period: {options.DrainSeconds + 30}s", Read("docker-compose.yml"), StringComparison.Ordinal);
        Assert.Contains($"gateway:{options.HttpPort}", Read("deploy/prometheus/prometheus.yml"), StringComparison.Ordinal);
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(Shared.Repository, file));

    [GeneratedRegex(@"\bSilo(?:__|:)([A-Z][A-Za-z]*(?:(?:__|:)[A-Z][A-Za-z]*)*)")]
    private static partial Regex Setting();

    [GeneratedRegex(@"\{ name: (\w+), containerPort: (\d+) \}")]
    private static partial Regex ContainerPort();

    [GeneratedRegex(@"(\w+)Probe: \{ httpGet: \{ path: (\S+),")]
    private static partial Regex Probe();

    [GeneratedRegex(@"terminationGracePeriodSeconds: (\d+)")]
    private static partial Regex Grace();
}
