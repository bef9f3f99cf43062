using System.Diagnostics.Metrics;
using System.Text;
using Silo.Client;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Contracts.Inference;
using Silo.Cluster.Contracts.Security;
using Silo.Cluster.Tests.Fixtures;
using Silo.Core;
using Silo.Experiments.Ranking;

namespace Silo.Cluster.Tests.Security;

/// <summary>A cluster that asks for tokens, as it is outside of development.</summary>
public sealed class TokenTests : IAsyncLifetime
{
    private const Access AllOfAClient = Access.Submit | Access.Rank | Access.Read | Access.Operate;
    private static readonly byte[] s_key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private readonly AccessTokens _tokens = new([s_key], TimeProvider.System);
    private readonly MeterListener _listener = new();
    private TestCluster _cluster = null!;
    private long _refused;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument is { Meter.Name: ClusterMetrics.MeterName, Name: "silo.calls.refused" }) l.EnableMeasurementEvents(instrument);
        };
        // Other clusters in this process refuse submissions, prompts and ranks meanwhile.
        _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            if (tags[0].Value is not ("submission" or "prompts" or "ranks")) Interlocked.Add(ref _refused, count);
        });
        _listener.Start();
        _cluster = await TestCluster.StartAsync(new TestWorld { Keys = [s_key], InferenceSilos = 1 });
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task With_a_token_a_campaign_runs_to_its_end()
    {
        var spec = Specs.Small(3);
        Use(Token(AllOfAClient, "e"));
        await _cluster.Client.SubmitAsync("e", spec, new SubmitOptions(), null, Cancellation);
        var end = await _cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation);
        await _cluster.Client.RankAsync("e", [new RankEvent("p1", "t0.3-0", "ann", null, 1)], Cancellation);
        Assert.NotNull(await _cluster.Client.BoardAsync("e", Cancellation));
        Assert.Equal(await Specs.LocalDigestAsync(spec, new ToyEngine()), end.Digest);
    }

    [Fact]
    public async Task Without_a_valid_token_nothing_is_answered_and_nothing_changes()
    {
        var writes = _cluster.World.Store.Writes;
        string?[] invalid =
        [
            null, "", "nonsense", new string('x', 5000), Token(AllOfAClient, "e") + "x", Unsigned(),
            new AccessTokens([new byte[32]], TimeProvider.System).Issue(new AccessGrant("eve", AllOfAClient | Access.Internal, "*"), TimeSpan.FromHours(1)),
            new AccessTokens([s_key], new Clock(TimeSpan.FromHours(-2))).Issue(new AccessGrant("late", AllOfAClient, "*"), TimeSpan.FromHours(1)),
            new AccessTokens([s_key], new Clock(TimeSpan.FromHours(2))).Issue(new AccessGrant("early", AllOfAClient, "*"), TimeSpan.FromHours(1)),
        ];
        foreach (var token in invalid)
        {
            Use(token);
            var before = Interlocked.Read(ref _refused);
            await AssertRefusedAsync(Calls("e").ToArray());
            // The enumeration is refused when it begins, and its end once more.
            Assert.Equal(before + Calls("e").Count() + 1, Interlocked.Read(ref _refused));
        }
        Assert.Equal(writes, _cluster.World.Store.Writes);
    }

    [Fact]
    public async Task Refused_calls_leave_no_grains_behind()
    {
        using var living = new MetricSum(_cluster, "silo.activations", "openexperiments");
        Use(null);
        for (var i = 1; i <= 50; i++)
        {
            var grain = _cluster.Orleans.GetGrain<IOpenExperimentsGrain>(1000 + i);
            await AssertRefusedAsync(() => grain.List());
        }
        while (living.Value > 0) await Task.Delay(20, Cancellation);
        // One that has answered stays, whoever calls it next.
        var answered = _cluster.Orleans.GetGrain<IOpenExperimentsGrain>(0);
        Use(Token(AllOfAClient, "*"));
        await answered.List();
        Use(null);
        await AssertRefusedAsync(() => answered.List());
        Use(Token(AllOfAClient, "*"));
        await answered.List();
        Assert.Equal(1, living.Value);
    }

    [Fact]
    public async Task A_token_opens_its_own_experiment_alone()
    {
        Use(Token(AllOfAClient, "mine"));
        await AssertRefusedAsync(Calls("other").ToArray());
        // The list of open experiments is of all, so it is for tokens of all, though its key could be an experiment's.
        await AssertRefusedAsync(() => _cluster.Orleans.GetGrain<IOpenExperimentsGrain>(0).List());
        Use(Token(AllOfAClient, "0"));
        await AssertRefusedAsync(() => _cluster.Orleans.GetGrain<IOpenExperimentsGrain>(0).List());
    }

    [Fact]
    public async Task A_token_allows_what_it_names_and_no_more()
    {
        var spec = Specs.Small(1);
        Use(Token(AllOfAClient, "e"));
        await _cluster.Client.SubmitAsync("e", spec, new SubmitOptions(), null, Cancellation);
        var experiment = _cluster.Orleans.GetGrain<IExperimentGrain>("e");
        var prompt = _cluster.Orleans.GetGrain<IPromptGrain>("e/p1");
        var (reads, ranks, operates) = (
            new Func<Task>[] { () => experiment.Status(), () => experiment.Spec(), () => prompt.Texts(true), () => prompt.Ranks(), () => FirstAsync(experiment) },
            new Func<Task>[] { () => prompt.Rank([new RankMessage { Item = "t0.3-0", Rater = "ann", Rank = 1 }]) },
            new Func<Task>[] { () => experiment.Pause(), () => experiment.Resume(), () => experiment.SetWindow(2) });
        foreach (var (access, allowed) in new[] { (Access.Read, reads), (Access.Rank, ranks), (Access.Operate, operates) })
        {
            Use(Token(access, "e"));
            foreach (var call in allowed) await call();
            await AssertRefusedAsync([.. reads.Concat(ranks).Concat(operates).Except(allowed)]);
        }
    }

    [Fact]
    public async Task What_silos_say_to_each_other_no_client_can_say()
    {
        Use(Token(AllOfAClient, "*"));
        var experiment = _cluster.Orleans.GetGrain<IExperimentGrain>("e");
        var page = _cluster.Orleans.GetGrain<IPromptPageGrain>("e/000000");
        var shard = _cluster.Orleans.GetGrain<ICorrelationShardGrain>("e/000000");
        var end = new PromptEnd { Prompt = 0, Kept = 1, Failed = 0, Tokens = 1, Digest = new byte[32] };
        await AssertRefusedAsync(
            () => experiment.Context(), () => experiment.PromptsEnded([end]), () => experiment.EnginesBusy(), () => experiment.AdmitPanels(["panel"]),
            () => page.Tell([new PromptOrder(0, PromptOrderKind.Cancel)]), () => page.PromptEnded(end), () => page.Ids(),
            () => _cluster.Orleans.GetGrain<IPromptGrain>("e/p1").Tell(new PromptOrder(0, PromptOrderKind.Begin), "text"),
            () => shard.Update(new ShardUpdate { Prompt = "p1", From = default, To = new Counted(true, 0) }), () => shard.Sums(),
            () => _cluster.Orleans.GetGrain<ICorrelationGrain>("e").Touch(),
            () => _cluster.Orleans.GetGrain<IOpenExperimentsGrain>(0).Open("x"), () => _cluster.Orleans.GetGrain<IOpenExperimentsGrain>(0).Close("x"),
            () => _cluster.Orleans.GetGrain<IInferenceGrain>("embedded||/0").Generate(new GenerateMessage { Spec = "{}", PromptId = "p", Prompt = "", Rows = [0] }, Cancellation),
            () => _cluster.Orleans.GetGrain<IManagementGrain>(0).GetHosts(false, Cancellation),
            () => experiment.AsReference<IRemindable>().ReceiveReminder("campaign", default),
            () => _cluster.Orleans.GetGrain<IPromptGrain>("e/p1").AsReference<IRemindable>().ReceiveReminder("uncounted", default));
    }

    [Fact]
    public async Task A_watch_whose_token_expires_ends_in_one_line()
    {
        Use(Token(AllOfAClient, "e"));
        await _cluster.Client.SubmitAsync("e", Specs.Small(1), new SubmitOptions { Model = "served-by-nobody" }, null, Cancellation);
        await using var watch = _cluster.Client.WatchAsync("e", 0, Cancellation).GetAsyncEnumerator(Cancellation);
        Assert.True(await watch.MoveNextAsync());
        Use(null);
        Assert.Contains("refused: no token", (await Assert.ThrowsAsync<SiloException>(() => watch.MoveNextAsync().AsTask())).Message, StringComparison.Ordinal);
    }

    private string Token(Access access, string experiment) => _tokens.Issue(new AccessGrant("tester", access, experiment), TimeSpan.FromHours(1));

    private static void Use(string? token)
    {
        if (token is null) RequestContext.Remove(CallToken.ContextKey);
        else RequestContext.Set(CallToken.ContextKey, token);
    }

    // One call of each interface that clients use, and the enumeration.
    private IEnumerable<Func<Task>> Calls(string experiment)
    {
        var grain = _cluster.Orleans.GetGrain<IExperimentGrain>(experiment);
        yield return () => grain.Submit(new Submission { Spec = "{}", Hash = "", Prompts = 1 });
        yield return () => grain.Start();
        yield return () => grain.Status();
        yield return () => grain.Cancel();
        yield return () => FirstAsync(grain);
        yield return () => _cluster.Orleans.GetGrain<IPromptPageGrain>(Keys.Part(experiment, 0)).Put(new PromptPage { Ids = ["p"], Texts = ["t"] });
        yield return () => _cluster.Orleans.GetGrain<IPromptGrain>(Keys.Prompt(experiment, "p1")).Rank([]);
        yield return () => _cluster.Orleans.GetGrain<ICorrelationGrain>(experiment).Board();
    }

    private static async Task FirstAsync(IExperimentGrain grain)
    {
        await foreach (var _ in grain.Watch(0, Cancellation)) return;
    }

    private static async Task AssertRefusedAsync(params Func<Task>[] calls)
    {
        foreach (var call in calls) await Assert.ThrowsAsync<AccessDeniedException>(call);
    }

    private static string Unsigned()
    {
        static string Part(string json) => Convert.ToBase64String(Encoding.UTF8.GetBytes(json)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        return $"{Part("""{"alg":"none","typ":"JWT"}""")}.{Part($$"""{"iss":"silo","sub":"eve","scope":"internal","experiment":"*","exp":{{DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds()}}}""")}.";
    }

    private sealed class Clock(TimeSpan ahead) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow + ahead;
    }
}
