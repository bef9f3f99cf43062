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
        // The same weights in two precisions: the hosts serve one model under two fingerprints. By the rules of Hosts, some prompt ends on
        // the first, some on the second, and each stands half made for a while when hosts of both could answer.
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
            // What has ended stays: from here on the first engine has texts that are kept.
            if (hosts.Engines > 1)
                while ((await Chaos.InsistAsync(() => cluster.Client.StatusAsync("e", over.Token), over.Token)).Ended == 0) await Task.Delay(50, over.Token);
            enough.CancelAfter(TimeSpan.FromSeconds(4));
            var raging = chaos.RageAsync(enough.Token);
            await Chaos.InsistAsync(() => cluster.Client.RankAsync("e", ranks, over.Token), over.Token);
            // One inference host dies for certain.
            var (dying, role) = cluster.Silos.First(silo => silo.Role == SiloRole.Inference);
            await Chaos.InsistAsync(async () => await cluster.AddAsync(role), over.Token);
            await cluster.KillAsync(dying);
            await raging;
            // Whatever died, each engine is there in the end, so that what stands half made can be made whole.
            for (var back = new HashSet<int>(); hosts.Engines > 1 && back.Count < hosts.Engines; back.Add(hosts.Newest))
                await Chaos.InsistAsync(async () => await cluster.AddAsync(SiloRole.Inference), over.Token);
            CampaignStatusReply end;
            do
            {
                await Task.Delay(100, over.Token);
                end = await Chaos.InsistAsync(() => cluster.Client.StatusAsync("e", over.Token), over.Token);
                if (end.Ended > Hosts.PromptsOfTheFirst) hosts.FirstTakesAll();
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

    /// <summary>
    /// The engines of all inference hosts there ever were, each with a model of its own. Where there are two folders, the first two hosts take
    /// the first and all later ones take turns; the first engine takes some prompts alone, and the first answer to a prompt lacks texts.
    /// </summary>
    private sealed class Hosts(params string[] folders) : IAsyncDisposable
    {
        /// <summary>When more have ended, the second engine has texts that are kept, too.</summary>
        public const int PromptsOfTheFirst = 4;

        private readonly ConcurrentBag<(GenerationEngine Engine, ILanguageModel Model)> _all = [];
        private readonly HashSet<string> _taken = [], _begun = [];
        private readonly Lock _gate = new();
        private bool _isFree;

        public int Engines => folders.Length;

        public int Opened { get; private set; }

        /// <summary>The folder of the host that was opened last.</summary>
        public int Newest { get; private set; }

        public ConcurrentDictionary<GenerationKey, int> Made { get; } = new();

        public Slow Open()
        {
            int folder;
            lock (_gate) folder = Newest = Opened++ < 2 ? 0 : (Opened - 2) % Engines;
            var model = Folders.Open(folders[folder], threads: 1);
            var engine = new GenerationEngine(model);
            _all.Add((engine, model));
            return new Slow(engine, folder, this);
        }

        /// <summary>Whether a prompt may be made by an engine: what the first one turns away waits for the second.</summary>
        public bool MayMake(string prompt, int folder)
        {
            lock (_gate) return Engines == 1 || folder > 0 || _isFree || _taken.Contains(prompt) || (_taken.Count < PromptsOfTheFirst && _taken.Add(prompt));
        }

        public void FirstTakesAll()
        {
            lock (_gate) _isFree = true;
        }

        /// <summary>Whether an answer is the first to its prompt and there are others who could make what it lacks.</summary>
        public bool Begins(string prompt)
        {
            lock (_gate) return Engines > 1 && _begun.Add(prompt);
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
    private sealed class Slow(GenerationEngine engine, int folder, Hosts hosts) : IGenerationEngine
    {
        public string Fingerprint => engine.Fingerprint;

        public async Task<IReadOnlyList<GenerationResult>> GenerateAsync(GenerationRequest request, Action<GenerationResult>? onResult, CancellationToken cancellationToken)
        {
            var prompt = request.Rows[0].Key.Prompt;
            if (!hosts.MayMake(prompt, folder)) throw new EngineBusyException();
            await Task.Delay(400, cancellationToken);
            var results = await engine.GenerateAsync(request, onResult, cancellationToken);
            if (hosts.Begins(prompt)) results = [results[0]];
            foreach (var result in results) hosts.Made.AddOrUpdate(result.Key, 1, (_, times) => times + 1);
            return results;
        }
    }
}
