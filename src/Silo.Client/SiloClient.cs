using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Contracts.Security;
using Silo.Core;
using Silo.Experiments.Ranking;
using Silo.Experiments.Spec;

namespace Silo.Client;

/// <summary>
/// A cluster, as a researcher uses it. Every call may be repeated without doing anything twice. Losing a gateway is no
/// failure of a campaign: the client connects again.
/// </summary>
public sealed class SiloClient : IAsyncDisposable
{
    private const int RankedAtOnce = 32;
    private static readonly TimeSpan s_firstWait = TimeSpan.FromMilliseconds(250), s_longestWait = TimeSpan.FromSeconds(15);
    private readonly IHost? _host;
    private readonly IClusterClient _cluster;

    /// <summary>A client over an Orleans client that is connected already; that one stays the caller's.</summary>
    public SiloClient(IClusterClient cluster) => _cluster = cluster;

    private SiloClient(IHost host) : this(host.Services.GetRequiredService<IClusterClient>()) => _host = host;

    /// <summary>Connects to a cluster.</summary>
    /// <exception cref="SiloException">No gateway answers in time, an address or a certificate file is of no use.</exception>
    public static async Task<SiloClient> ConnectAsync(SiloClientOptions options, CancellationToken cancellationToken = default)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.ClearProviders();
        var endpoints = await ResolveAsync(options.Gateways, cancellationToken);
        builder.UseOrleansClient(client =>
        {
            client.UseStaticClustering(endpoints);
            client.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (options.ClusterId, options.ServiceId));
            client.Configure<ClientMessagingOptions>(o => o.MaxMessageBodySize = Limits.MaxMessageBytes);
            client.AddActivityPropagation();
            if (options.Token is { Length: > 0 } token) client.AddOutgoingGrainCallFilter(new ClientTokenFilter(token));
            if (options.CertificateFile is not null) client.UseTls(tls => MutualTls.Configure(tls, options.CertificateFile, options.KeyFile, options.AuthorityFile));
        });
        var host = builder.Build();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(options.ConnectTimeout);
        try
        {
            await host.StartAsync(patience.Token);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            host.Dispose();
            var why = patience.IsCancellationRequested ? string.Create(CultureInfo.InvariantCulture, $"within {options.ConnectTimeout.TotalSeconds:0.#} s") : e.Message.ReplaceLineEndings(" ");
            throw new SiloException($"no gateway answers at {string.Join(", ", options.Gateways)}: {why}", e);
        }
        return new SiloClient(host);
    }

    /// <summary>
    /// Submits an experiment and starts it: the spec, then its prompts page by page. Idempotent by id and spec; when it was
    /// interrupted, call it again.
    /// </summary>
    /// <param name="experiment">The experiment's id in the cluster.</param>
    /// <param name="spec">The spec, its prompts read.</param>
    /// <param name="options">What only the cluster asks for.</param>
    /// <param name="progress">Told the number of prompts sent.</param>
    /// <param name="cancellationToken">Stops sending.</param>
    /// <exception cref="SiloException">It was refused, or the id holds another experiment.</exception>
    public async Task<SubmitOutcome> SubmitAsync(
        string experiment, ExperimentSpec spec, SubmitOptions options, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        DemandDistinct(spec.Prompts);
        using var activity = ClusterMetrics.Activities.StartActivity("submit");
        activity?.SetTag("silo.experiment", experiment);
        var reply = await CallAsync(() => Experiment(experiment).Submit(new Submission
        {
            Spec = SpecWriter.Write(spec with { Prompts = [], PromptsFile = "prompts.jsonl", Model = null }),
            Hash = SpecIdentity.Of(spec).Hash,
            Prompts = spec.Prompts.Count,
            Model = options.Model,
            Device = options.Device,
            Window = options.Window,
        }), cancellationToken);
        Demand(experiment, reply);
        var page = 0;
        foreach (var prompts in spec.Prompts.Chunk(Limits.PageSize))
        {
            var key = Keys.Part(experiment, page++);
            var content = new PromptPage { Ids = [.. prompts.Select(p => p.Id)], Texts = [.. prompts.Select(p => p.Text)] };
            Demand(experiment, await CallAsync(() => _cluster.GetGrain<IPromptPageGrain>(key).Put(content), cancellationToken));
            progress?.Report(Math.Min(page * Limits.PageSize, spec.Prompts.Count));
        }
        if (await CallAsync(() => Experiment(experiment).Start(), cancellationToken) is { } missing)
            throw new SiloException($"experiment '{experiment}': page {missing} of its prompts is missing; submit it again");
        return reply.Outcome;
    }

    /// <summary>Where a campaign stands.</summary>
    /// <exception cref="SiloException">There is no such experiment.</exception>
    public Task<CampaignStatusReply> StatusAsync(string experiment, CancellationToken cancellationToken = default) =>
        KnownAsync(experiment, () => Experiment(experiment).Status(), cancellationToken);

    /// <summary>
    /// Follows a campaign from a sequence number to its end, through lost connections and restarted hosts. Elements come
    /// in order, each number at most once; standings between two elements may be passed over.
    /// </summary>
    public async IAsyncEnumerable<CampaignStatusReply> WatchAsync(string experiment, long after = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var last = await StatusAsync(experiment, cancellationToken);
        if (last.Sequence > after) yield return last;
        after = Math.Max(after, last.Sequence);
        var wait = s_firstWait;
        while (!IsOver(last))
        {
            var stream = Experiment(experiment).Watch(after, cancellationToken).GetAsyncEnumerator(cancellationToken);
            await using (stream)
                while (true)
                {
                    try
                    {
                        if (!await stream.MoveNextAsync()) break;
                    }
                    catch (AccessDeniedException e)
                    {
                        // The token has expired meanwhile.
                        throw new SiloException(e.Message, e);
                    }
                    catch (Exception e) when (IsPassing(e) && !cancellationToken.IsCancellationRequested)
                    {
                        break;
                    }
                    if (stream.Current.Sequence <= after) continue;
                    last = stream.Current;
                    after = last.Sequence;
                    wait = s_firstWait;
                    yield return last;
                    if (IsOver(last)) yield break;
                }
            await Task.Delay(wait, cancellationToken);
            wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, s_longestWait.Ticks));
        }
    }

    /// <summary>Begins no more prompts.</summary>
    public Task<CampaignStatusReply> PauseAsync(string experiment, CancellationToken cancellationToken = default) =>
        KnownAsync(experiment, () => Experiment(experiment).Pause(), cancellationToken);

    /// <summary>Goes on after a pause.</summary>
    public Task<CampaignStatusReply> ResumeAsync(string experiment, CancellationToken cancellationToken = default) =>
        KnownAsync(experiment, () => Experiment(experiment).Resume(), cancellationToken);

    /// <summary>Gives up; what is stored stays.</summary>
    public Task<CampaignStatusReply> CancelAsync(string experiment, CancellationToken cancellationToken = default) =>
        KnownAsync(experiment, () => Experiment(experiment).Cancel(), cancellationToken);

    /// <summary>Sets the most prompts in flight.</summary>
    public Task<CampaignStatusReply> SetWindowAsync(string experiment, int window, CancellationToken cancellationToken = default) =>
        KnownAsync(experiment, () => Experiment(experiment).SetWindow(window), cancellationToken);

    /// <summary>Sends ranks, batched by prompt; new, corrected, withdrawn, repeated ones. Returns what became of them.</summary>
    /// <exception cref="SiloException">A batch was refused; others may have been taken, and sending all again is safe.</exception>
    public async Task<RankReply> RankAsync(string experiment, IEnumerable<RankEvent> ranks, CancellationToken cancellationToken = default)
    {
        var sum = new RankReply { New = 0, Corrected = 0, Withdrawn = 0, Repeated = 0 };
        var turn = new Lock();
        var prompts = ranks.GroupBy(r => r.Prompt, StringComparer.Ordinal);
        // Each prompt's ranks in their order; prompts beside each other, since an answer waits for a store.
        await Parallel.ForEachAsync(prompts, new ParallelOptions { MaxDegreeOfParallelism = RankedAtOnce, CancellationToken = cancellationToken }, async (prompt, cancelled) =>
        {
            var key = Keys.Prompt(experiment, prompt.Key);
            foreach (var batch in prompt.Chunk(Limits.MaxRanksPerBatch))
            {
                RankMessage[] messages = [.. batch.Select(r => new RankMessage { Item = r.Item, Rater = r.Rater, Panel = r.Panel, Rank = r.Rank, Revision = r.Revision })];
                var reply = await CallAsync(() => _cluster.GetGrain<IPromptGrain>(key).Rank(messages), cancelled);
                if (reply.Refused is { } reason) throw new SiloException($"experiment '{experiment}', prompt '{prompt.Key}': {reason}");
                lock (turn)
                    sum = sum with
                    {
                        New = sum.New + reply.New,
                        Corrected = sum.Corrected + reply.Corrected,
                        Withdrawn = sum.Withdrawn + reply.Withdrawn,
                        Repeated = sum.Repeated + reply.Repeated,
                    };
            }
        });
        return sum;
    }

    /// <summary>The running table.</summary>
    public Task<RunningBoard> BoardAsync(string experiment, CancellationToken cancellationToken = default) =>
        KnownAsync(experiment, () => _cluster.GetGrain<ICorrelationGrain>(Keys.Experiment(experiment)).Board(), cancellationToken);

    /// <summary>The spec as submitted, without prompts.</summary>
    public async Task<ExperimentSpec> SpecAsync(string experiment, CancellationToken cancellationToken = default) =>
        SpecReader.Parse(await KnownAsync(experiment, () => Experiment(experiment).Spec(), cancellationToken), $"experiment '{experiment}'");

    /// <summary>A page of prompts, from 0; null past the last.</summary>
    public Task<PromptPage?> PromptsAsync(string experiment, int page, CancellationToken cancellationToken = default) =>
        CallAsync(() => _cluster.GetGrain<IPromptPageGrain>(Keys.Part(experiment, page)).Get(), cancellationToken);

    /// <summary>A prompt's texts, with or without traces.</summary>
    public Task<PromptTexts> TextsAsync(string experiment, string prompt, bool traces, CancellationToken cancellationToken = default) =>
        CallAsync(() => _cluster.GetGrain<IPromptGrain>(Keys.Prompt(experiment, prompt)).Texts(traces), cancellationToken);

    /// <summary>A prompt's ranks, in order of arrival.</summary>
    public Task<IReadOnlyList<RankMessage>> RanksAsync(string experiment, string prompt, CancellationToken cancellationToken = default) =>
        CallAsync(() => _cluster.GetGrain<IPromptGrain>(Keys.Prompt(experiment, prompt)).Ranks(), cancellationToken);

    /// <summary>Ids of the open experiments.</summary>
    public Task<IReadOnlyList<string>> OpenExperimentsAsync(CancellationToken cancellationToken = default) =>
        CallAsync(() => _cluster.GetGrain<IOpenExperimentsGrain>(0).List(), cancellationToken);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_host is null) return;
        await _host.StopAsync();
        _host.Dispose();
    }

    private IExperimentGrain Experiment(string id) => _cluster.GetGrain<IExperimentGrain>(Keys.Experiment(id));

    private static bool IsOver(CampaignStatusReply status) => status.Status == "cancelled" || (status.Status == "finished" && status.Digest is not null);

    private static async Task<T> KnownAsync<T>(string experiment, Func<Task<T?>> call, CancellationToken cancellationToken) where T : class =>
        await CallAsync(call, cancellationToken) ?? throw new SiloException($"there is no experiment '{experiment}'");

    // The one place where a call is tried again: every call is idempotent, so an unknown outcome may be asked for again.
    private static async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        var wait = s_firstWait;
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await call().WaitAsync(cancellationToken);
            }
            catch (AccessDeniedException e)
            {
                throw new SiloException(e.Message, e);
            }
            catch (Exception e) when (IsPassing(e))
            {
                if (tries == 6) throw new SiloException($"the cluster does not answer: {e.Message.ReplaceLineEndings(" ")}", e);
            }
            await Task.Delay(TimeSpan.FromTicks((long)(wait.Ticks * (0.5 + Random.Shared.NextDouble()))), cancellationToken);
            wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, s_longestWait.Ticks));
        }
    }

    private static bool IsPassing(Exception e) => e is OrleansException or TimeoutException or SocketException or EnumerationAbortedException or StateNotStoredException
        // The gateway has not met a host that has the grain yet; Orleans has no type for it.
        || (e is ArgumentException && e.Message.StartsWith("Could not find an implementation", StringComparison.Ordinal));

    private static void Demand(string experiment, SubmitReply reply)
    {
        if (reply.Outcome is SubmitOutcome.Conflict or SubmitOutcome.Refused)
            throw new SiloException($"experiment '{experiment}': {reply.Reason}");
    }

    // The cluster says so, too, but when all is sent.
    private static void DemandDistinct(IReadOnlyList<Prompt> prompts)
    {
        var places = new Dictionary<string, int>(prompts.Count, StringComparer.Ordinal);
        for (var i = 0; i < prompts.Count; i++)
            if (!places.TryAdd(prompts[i].Id, i))
                throw new SiloException($"prompt id '{prompts[i].Id}' stands twice, as prompt {places[prompts[i].Id] + 1} and as prompt {i + 1}");
    }

    private static async Task<IPEndPoint[]> ResolveAsync(IReadOnlyList<string> gateways, CancellationToken cancellationToken)
    {
        if (gateways.Count == 0) throw new SiloException("no gateway is named: expected host:port");
        var endpoints = new List<IPEndPoint>();
        foreach (var gateway in gateways)
        {
            var colon = gateway.LastIndexOf(':');
            if (colon < 1 || !ushort.TryParse(gateway.AsSpan(colon + 1), out var port))
                throw new SiloException($"gateway '{gateway}': expected host:port");
            try
            {
                foreach (var address in await Dns.GetHostAddressesAsync(gateway[..colon], cancellationToken))
                    endpoints.Add(new IPEndPoint(address, port));
            }
            catch (SocketException e)
            {
                throw new SiloException($"gateway '{gateway}': {e.Message}", e);
            }
        }
        return [.. endpoints];
    }
}

/// <summary>What only a cluster asks for when an experiment is submitted.</summary>
public sealed record SubmitOptions
{
    /// <summary>Name of the model that hosts serve, or null for the embedded one.</summary>
    public string? Model { get; init; }

    /// <summary>Kind of device that hosts must have (<c>cuda</c>), or null for any.</summary>
    public string? Device { get; init; }

    /// <summary>Most prompts in flight at first.</summary>
    public int Window { get; init; } = 32;
}
