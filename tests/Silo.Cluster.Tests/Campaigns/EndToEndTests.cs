using Silo.Client;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Tests.Fixtures;
using Silo.Models;

namespace Silo.Cluster.Tests.Campaigns;

public class EndToEndTests
{
    [Fact]
    public async Task A_campaign_on_three_silos_has_the_digest_of_the_local_run()
    {
        var spec = Specs.Small(12);
        await using var cluster = await TestCluster.StartAsync(new TestWorld());
        var end = await RunAsync(cluster, spec);
        Assert.Equal("finished", end.Status);
        Assert.Equal(36, end.Kept);
        Assert.Equal(await Specs.LocalDigestAsync(spec, new ToyEngine()), end.Digest);
    }

    [Fact]
    public async Task With_the_managed_engine_too()
    {
        var spec = Specs.Small(4) with { MaxTokens = 12, ReferenceTemperatures = [1.5] };
        using var model = LanguageModels.Open(Path.Combine(Shared.Repository, "src", "Silo.Storyteller", "storyteller.gguf"));
        await using var engine = new GenerationEngine(model, new GenerationEngineOptions());
        await using var other = new GenerationEngine(model, new GenerationEngineOptions { RowLimit = 5 });
        var engines = new Queue<GenerationEngine>([engine, other]);
        await using var cluster = await TestCluster.StartAsync(new TestWorld { Engine = () => { lock (engines) return engines.Dequeue(); } });
        var end = await RunAsync(cluster, spec);
        Assert.Equal(await Specs.LocalDigestAsync(spec, engine), end.Digest);
        Assert.Equal([engine.Fingerprint], end.Engines);
    }

    private static async Task<CampaignStatusReply> RunAsync(TestCluster cluster, Silo.Experiments.Spec.ExperimentSpec spec)
    {
        var client = cluster.Client;
        await client.SubmitAsync("e", spec, new SubmitOptions(), null, TestContext.Current.CancellationToken);
        return await client.WatchAsync("e", 0, TestContext.Current.CancellationToken).LastAsync(TestContext.Current.CancellationToken);
    }
}
