using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Inference;
using Silo.Cluster.Contracts.Security;
using Silo.Cluster.Grains.Campaigns;
using Silo.Cluster.Inference;
using Silo.Cluster.Tests.Fixtures;
using Silo.Core;
using Silo.Experiments.Spec;

namespace Silo.Cluster.Tests.Caches;

/// <summary>What a host keeps to save time is bounded, and what it lets go of is found again.</summary>
public class CacheTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_inference_host_keeps_so_many_specs_and_serves_all()
    {
        var host = new EngineHost(new ToyEngine(), InferenceKeys.EmbeddedModel, "cpu");
        for (var round = 0; round < 2; round++)
            for (var i = 0; i <= EngineHost.MostCatalogs; i++)
            {
                var spec = SpecWriter.Write(Specs.Small(1) with { Seed = (ulong)i, Prompts = [], PromptsFile = "prompts.jsonl" });
                Assert.Single(await host.GenerateAsync(new GenerateMessage { Spec = spec, PromptId = "p1", Prompt = "one", Rows = [0] }, Cancellation));
                Assert.InRange(host.Count, 1, EngineHost.MostCatalogs);
            }
    }

    [Fact]
    public async Task An_orchestrator_knows_so_many_experiments_and_finds_the_others_again()
    {
        var spec = Specs.Small(1);
        await using var cluster = await TestCluster.StartAsync(new TestWorld { InferenceSilos = 0, Timing = timing => timing.StartWithin = TimeSpan.Zero });
        var cache = cluster.Silos.Single().Silo.ServiceProvider.GetRequiredService<ContextCache>();
        var submission = new Submission { Spec = SpecWriter.Write(spec with { Prompts = [], PromptsFile = "prompts.jsonl" }), Hash = new string('0', 64), Prompts = 1 };
        for (var i = 0; i <= ContextCache.MostExperiments; i++)
        {
            Assert.Equal(SubmitOutcome.Accepted, (await cluster.Orleans.GetGrain<IExperimentGrain>($"e{i}").Submit(submission with { Prompts = i + 1 })).Outcome);
            Assert.Equal(i + 1, (await cache.GetAsync($"e{i}")).Shared.Prompts);
            Assert.InRange(cache.Count, 1, ContextCache.MostExperiments);
        }
        Assert.Equal(1, (await cache.GetAsync("e0")).Shared.Prompts);
        // What is not there is not remembered: it may be submitted later.
        var known = cache.Count;
        await Assert.ThrowsAsync<SiloException>(() => cache.GetAsync("nowhere"));
        Assert.Equal(known, cache.Count);
    }

    [Fact]
    public async Task Of_tokens_so_many_are_remembered_and_of_what_is_no_token_none()
    {
        var tokens = new AccessTokens([RandomNumberGenerator.GetBytes(32)], TimeProvider.System);
        for (var i = 0; i <= AccessTokens.MostKnown; i++)
        {
            Assert.NotNull((await tokens.CheckAsync(tokens.Issue(new AccessGrant($"s{i}", Access.Read, "e"), TimeSpan.FromHours(1)))).Grant);
            Assert.InRange(tokens.Count, 1, AccessTokens.MostKnown);
        }
        var known = tokens.Count;
        Assert.Null((await tokens.CheckAsync("nonsense")).Grant);
        Assert.Equal(known, tokens.Count);
    }
}
