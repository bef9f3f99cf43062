using Silo.Client;
using Silo.Cluster.Tests.Fixtures;

namespace Silo.Cluster.Tests.Inference;

public class PlacementTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_inference_hosts_activate_inference_grains_and_nothing_else_of_ours()
    {
        await using var cluster = await TestCluster.StartAsync(new TestWorld { Orchestrators = 2 });
        var spec = Specs.Small(20);
        var roles = cluster.Silos.ToDictionary(s => s.Silo.SiloAddress, s => s.Role);
        // Enough slots that each host has some, once the orchestrators have learnt what both of them serve.
        for (var (campaign, hosts) = (0, 0); hosts < 2; campaign++)
        {
            await cluster.Client.SubmitAsync($"e{campaign}", spec, new SubmitOptions(), null, Cancellation);
            await cluster.Client.WatchAsync($"e{campaign}", 0, Cancellation).LastAsync(Cancellation);
            var active = await cluster.Orleans.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics(null, null, Cancellation);
            var ours = active.Where(a => a.GrainType.Contains("Silo.Cluster.", StringComparison.Ordinal)).ToArray();
            var inference = ours.Where(a => a.GrainType.Contains(".Inference.", StringComparison.Ordinal)).ToArray();
            Assert.NotEmpty(inference);
            Assert.All(ours, a => Assert.Equal(inference.Contains(a) ? SiloRole.Inference : SiloRole.Orchestrator, roles[a.SiloAddress]));
            hosts = inference.Select(a => a.SiloAddress).Distinct().Count();
        }
    }

    [Fact]
    public async Task Without_an_inference_host_a_campaign_waits_and_with_a_new_one_it_goes_on()
    {
        var spec = Specs.Small(6);
        var gate = new Gate(2);
        await using var cluster = await TestCluster.StartAsync(new TestWorld { InferenceSilos = 1, Engine = gate.Engine });
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 1 }, null, Cancellation);
        await foreach (var seen in cluster.Client.WatchAsync("e", 0, Cancellation))
            if (seen.Ended > 0) break;
        await cluster.KillAsync(cluster.Silos.Single(s => s.Role == SiloRole.Inference).Silo);
        var before = await cluster.Client.StatusAsync("e", Cancellation);
        await Task.Delay(TimeSpan.FromSeconds(2), Cancellation);
        var waiting = await cluster.Client.StatusAsync("e", Cancellation);
        Assert.Equal("running", waiting.Status);
        Assert.InRange(waiting.Ended, before.Ended, before.Ended + 1);
        Assert.Equal(0, waiting.Failed);

        gate.Open();
        await cluster.AddAsync(SiloRole.Inference);
        var end = await cluster.Client.WatchAsync("e", waiting.Sequence, Cancellation).LastAsync(Cancellation);
        Assert.Equal(await Specs.LocalDigestAsync(spec, new ToyEngine()), end.Digest);
    }

    [Fact]
    public async Task A_model_that_nobody_serves_is_waited_for()
    {
        var spec = Specs.Small(1);
        await using var cluster = await TestCluster.StartAsync(new TestWorld());
        await cluster.Client.SubmitAsync("other", spec, new SubmitOptions { Model = "no-such-model" }, null, Cancellation);
        await cluster.Client.SubmitAsync("cuda", spec, new SubmitOptions { Device = "cuda" }, null, Cancellation);
        await Task.Delay(TimeSpan.FromSeconds(1), Cancellation);
        foreach (var experiment in (string[])["other", "cuda"])
        {
            var status = await cluster.Client.StatusAsync(experiment, Cancellation);
            Assert.Equal(("running", 0, 0L), (status.Status, status.Ended, status.Failed));
            Assert.Equal("cancelled", (await cluster.Client.CancelAsync(experiment, Cancellation)).Status is "cancelled" or "cancelling" ? "cancelled" : "not");
        }
    }

    [Fact]
    public async Task A_prompt_never_mixes_engines()
    {
        var number = 0;
        var spec = Specs.Small(30);
        await using var cluster = await TestCluster.StartAsync(new TestWorld
        {
            Engine = () => new ToyEngine { Fingerprint = $"test/{Interlocked.Increment(ref number)}; model sha256:00; exact" },
        });
        // Until a campaign has texts of both: the orchestrator may know of one first.
        string[] engines = [];
        for (var campaign = 0; engines.Length < 2; campaign++)
        {
            await cluster.Client.SubmitAsync($"e{campaign}", spec, new SubmitOptions(), null, Cancellation);
            engines = [.. (await cluster.Client.WatchAsync($"e{campaign}", 0, Cancellation).LastAsync(Cancellation)).Engines];
            foreach (var prompt in spec.Prompts)
                Assert.Single((await cluster.Client.TextsAsync($"e{campaign}", prompt.Id, traces: false, Cancellation)).Texts.Select(t => t.Engine).Distinct());
        }
        Assert.Equal(["test/1; model sha256:00; exact", "test/2; model sha256:00; exact"], engines);
    }
}
