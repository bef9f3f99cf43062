using Silo.Host.Tests.Fixtures;

namespace Silo.Host.Tests.Deployment;

/// <summary>What is deployed, looked at by the tools of those who read it.</summary>
public sealed class DeploymentTests
{
    private static string Prometheus => Path.Combine(Shared.Repository, "deploy", "prometheus");

    [Fact]
    public async Task Promtool_finds_nothing_wrong_with_the_rules_and_the_alerts_fire_when_they_should()
    {
        var promtool = Tool("promtool", "prometheus");
        foreach (var command in (string[][])[["check", "rules", "rules.yml"], ["check", "config", "prometheus.yml"], ["test", "rules", "rules.test.yml"]])
        {
            var outcome = await SiloProcess.RunInAsync(promtool, Prometheus, command);
            Assert.True(outcome.ExitCode == 0 && outcome.Out.Contains("SUCCESS", StringComparison.Ordinal), $"{string.Join(' ', command)}: {outcome.Out}{outcome.Error}");
        }
    }

    [Fact]
    public async Task Docker_compose_finds_nothing_wrong_with_its_file()
    {
        var compose = Tool("docker-compose", "docker-compose");
        foreach (var profile in (string[][])[[], ["--profile", "cuda"], ["--profile", "postgres"]])
        {
            var outcome = await SiloProcess.RunInAsync(compose, Shared.Repository, [.. profile, "config", "--quiet"]);
            Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', profile)}: {outcome.Error}");
        }
    }

    private static string Tool(string program, string package)
    {
        var path = PrometheusServer.Find(program);
        if (path is null) Assert.Skip($"{program} is not installed (Debian: apt-get install {package})");
        return path;
    }
}
