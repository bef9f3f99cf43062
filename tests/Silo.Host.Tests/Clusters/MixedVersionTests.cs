using Silo.Host.Tests.Fixtures;

namespace Silo.Host.Tests.Clusters;

/// <summary>A rolling upgrade, and back: hosts of this commit and of the one before serve together.</summary>
[Collection(nameof(HostCluster))]
public sealed class MixedVersionTests(HostCluster cluster)
{
    [Fact]
    public async Task Hosts_of_the_commit_before_serve_beside_those_of_this_one()
    {
        if (Environment.GetEnvironmentVariable("SILO_LONG") != "1") Assert.Skip("builds the commit before, which takes minutes (SILO_LONG=1)");
        if (!Path.Exists(Path.Combine(Shared.Repository, ".git"))) Assert.Skip("the commit before is only to be had in a git checkout");
        using var folder = new TemporaryFolder();
        // SILO_BEFORE names another commit, the last release's for example, or a checkout whose hosts are built already.
        var named = Environment.GetEnvironmentVariable("SILO_BEFORE") ?? "HEAD~1";
        var isBuilt = Directory.Exists(named);
        var before = isBuilt ? named : folder["before"];
        if (!isBuilt) await RunAsync("git", Shared.Repository, "worktree", "add", "--detach", before, named);
        try
        {
            foreach (var project in isBuilt ? [] : (string[])["Silo.Cluster.Grains", "Silo.Host", "Silo.Host.Cpu"])
                await RunAsync("dotnet", before, "build", "-c", SiloProcess.Configuration, Path.Combine("src", project), "--nologo", "-v", "q", "-p:UseSharedCompilation=false", "-nodeReuse:false");
            await cluster.ReadyAsync();
            var file = folder.Write("e.json", Specs.Json("mixed", 300, maxTokens: 8));
            var ctl = cluster.Ctl;
            await ctl.RunAsync("submit", file, "--window", "4");
            await using var watch = ctl.Start("watch", "mixed");

            // Beside each other; then the campaign's grains move to the old host, which reads what the new one has written; and back.
            await using var inference = cluster.Start("Inference", before);
            await using var orchestrator = cluster.Start("Orchestrator", before);
            await inference.ReadyAsync();
            await orchestrator.ReadyAsync();
            await LossTests.EndedAsync(watch, 10);
            Assert.Equal(0, await cluster.Orchestrator.TerminateAsync());
            Assert.Equal(0, await cluster.Inference[0].TerminateAsync());
            var moved = LossTests.Last(watch)!.Value.Whole("ended");
            await LossTests.EndedAsync(watch, moved + 10);
            Assert.True(await orchestrator.MetricAsync("silo_generations_total", "state=\"done\"") > 0);
            Assert.True(await inference.MetricAsync("silo_activations", "kind=\"inference\"") > 0);
            await cluster.Orchestrator.RestartAsync();
            await cluster.Inference[0].RestartAsync();
            await cluster.Orchestrator.ReadyAsync();
            Assert.Equal(0, await orchestrator.TerminateAsync());

            Assert.Equal(0, await watch.EndAsync());
            var end = LossTests.Last(watch)!.Value;
            Assert.Equal(("finished", 300, 900, 0), (end.Text("status"), end.Whole("ended"), end.Whole("kept"), end.Whole("failed")));
            Assert.Equal((await Specs.RunLocallyAsync(folder, file)).Digest, end.Text("digest"));
            await cluster.Inference[0].ReadyAsync();
        }
        finally
        {
            if (!isBuilt) await RunAsync("git", Shared.Repository, "worktree", "remove", "--force", before);
        }
    }

    private static async Task RunAsync(string program, string directory, params string[] arguments)
    {
        var outcome = await SiloProcess.RunInAsync(program, directory, arguments);
        Assert.True(outcome.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {outcome.Out}{outcome.Error}");
    }
}
