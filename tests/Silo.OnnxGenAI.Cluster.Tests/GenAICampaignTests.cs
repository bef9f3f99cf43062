using System.Collections.Concurrent;
using Silo.Client;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Tests.Faults;
using Silo.Cluster.Tests.Fixtures;
using Silo.Experiments.Generation;
using Silo.Experiments.Spec;
using Silo.ModelMaker;
using Silo.Models;
using Silo.OnnxGenAI.Tests;

namespace Silo.OnnxGenAI.Cluster.Tests;

/// <summary>
/// Campaigns on hosts whose engine is ONNX Runtime GenAI: one orchestrator, two inference hosts, which are killed, stopped and replaced while grains
/// vanish and ranks come.
/// </summary>
public sealed class GenAICampaignTests
{
    private static readonly ExperimentSpec s_spec = Specs.Small(10) with { MaxTokens = 8 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Whatever_happens_each_text_is_kept_once_and_the_end_is_that_of_one_machine(int seed)
    {
        var (_, folder) = Folders.Random("cluster");
        await using var hosts = new Hosts(folder);
        await RunAsync(hosts, seed, async (cluster, end) =>
        {
            using var model = Folders.Open(folder);
            await using var alone = new GenerationEngine(model);
            Assert.Equal(await Specs.LocalDigestAsync(s_spec, alone), end.Digest);
            Assert.All(await TextsAsync(cluster), text => Assert.Equal(model.Info.Fingerprint, text.Engine));
        });
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task No_prompt_mixes_the_texts_of_two_engines(int seed)
    {
        // The same weights in two precisions: the hosts serve one model under two fingerprints.
        await using var hosts = new Hosts(Folders.Random("cluster").Folder, Folders.Random("cluster-half", options: new FolderOptions { Half = true }).Folder);
        await RunAsync(hosts, seed, async (cluster, _) =>
        {
            var texts = await TextsAsync(cluster);
            foreach (var prompt in texts.GroupBy(text => text.Prompt)) Assert.Single(prompt.Select(text => text.Engine).Distinct());
            Assert.Equal(2, texts.Select(text => text.Engine).Distinct().Count());
        });
    }

    private static async Task RunAsync(Hosts hosts, int seed, Func<TestCluster, CampaignStatusReply, Task> check)
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var cluster = await TestCluster.StartAsync(new TestWorld { Engine = hosts.Open, RemindEvery = TimeSpan.FromMilliseconds(500) });
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        over.CancelAfter(TimeSpan.FromMinutes(4));
        var chaos = new Chaos(cluster, "e", s_spec, seed, over.Token);
        var ranks = Chaos.Ranks(s_spec, seed);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
        try
        {
            await Chaos.InsistAsync(() => cluster.Client.SubmitAsync("e", s_spec, new SubmitOptions { Window = 3 }, null, over.Token), over.Token);
            enough.CancelAfter(TimeSpan.FromSeconds(4));
            var raging = chaos.RageAsync(enough.Token);
            await Chaos.InsistAsync(() => cluster.Client.RankAsync("e", ranks, over.Token), over.Token);
            // One inference host dies for certain.
            var (dying, role) = cluster.Silos.First(silo => silo.Role == SiloRole.Inference);
            await Chaos.InsistAsync(async () => await cluster.AddAsync(role), over.Token);
            await cluster.KillAsync(dying);
            await raging;
            CampaignStatusReply end;
            do
            {
                await Task.Delay(100, over.Token);
                end = await Chaos.InsistAsync(() => cluster.Client.StatusAsync("e", over.Token), over.Token);
            }
            while (end.Digest is null);
            Assert.Equal((10, 30, 0), (end.Ended, end.Kept, end.Failed));
            await Recount.AssertRanksAsync(cluster.Client, "e", s_spec, ranks);
            await check(cluster, end);
            TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}: {hosts.Opened} engines, {hosts.Made.Values.Sum()} texts made, 30 kept; {string.Join("; ", chaos.Log)}");
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            throw new InvalidOperationException($"seed {seed}; {string.Join("\n", chaos.Log)}", e);
        }
    }

    private static async Task<List<(string Prompt, string Engine)>> TextsAsync(TestCluster cluster)
    {
        var texts = new List<(string, string)>();
        foreach (var prompt in s_spec.Prompts)
        {
            var reply = await cluster.Client.TextsAsync("e", prompt.Id, traces: false, TestContext.Current.CancellationToken);
            Assert.Equal([0, 1, 2], reply.Texts.Select(text => text.Row).Order());
            texts.AddRange(reply.Texts.Select(text => (prompt.Id, text.Engine)));
        }
        return texts;
    }

    /// <summary>The engines of all inference hosts there ever were, each with a model of its own; they take the folders in turn.</summary>
    private sealed class Hosts(params string[] folders) : IAsyncDisposable
    {
        private readonly ConcurrentBag<(GenerationEngine Engine, ILanguageModel Model)> _all = [];
        private int _opened;

        public int Opened => _opened;

        public ConcurrentDictionary<GenerationKey, int> Made { get; } = new();

        public Slow Open()
        {
            var model = Folders.Open(folders[(Interlocked.Increment(ref _opened) - 1) % folders.Length], threads: 1);
            var engine = new GenerationEngine(model);
            _all.Add((engine, model));
            return new Slow(engine, Made);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var (engine, model) in _all)
            {
                await engine.DisposeAsync();
                model.Dispose();
            }
        }
    }

    /// <summary>Gives what goes wrong time to go wrong in.</summary>
    internal sealed class Slow(GenerationEngine engine, ConcurrentDictionary<GenerationKey, int> made) : IGenerationEngine
    {
        public string Fingerprint => engine.Fingerprint;

        public async Task<IReadOnlyList<GenerationResult>> GenerateAsync(GenerationRequest request, Action<GenerationResult>? onResult, CancellationToken cancellationToken)
        {
            await Task.Delay(400, cancellationToken);
            var results = await engine.GenerateAsync(request, onResult, cancellationToken);
            foreach (var result in results) made.AddOrUpdate(result.Key, 1, (_, times) => times + 1);
            return results;
        }
    }
}
