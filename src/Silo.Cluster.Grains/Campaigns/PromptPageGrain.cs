using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Grains.State;
using Silo.Core;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>Holds a page of prompts and gathers their ends; many ends become one write and one message to the campaign.</summary>
[Reentrant]
internal sealed partial class PromptPageGrain : Grain, IPromptPageGrain
{
    private readonly StateBox<PromptPage> _content;
    private readonly StateBox<PageRecord> _box;
    private readonly GroupCommit _contentCommit;
    private readonly GroupCommit _commit;
    private readonly ContextCache _contexts;
    private readonly ClusterMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Dictionary<int, PromptEnd> _ends = [];
    private readonly Dictionary<int, PromptEnd> _stored = [];
    private readonly Dictionary<int, PromptEnd> _untold = [];
    private Task _telling = Task.CompletedTask;

    public PromptPageGrain(
        [PersistentState("prompt-page", StoreNames.Traces)] IPersistentState<PackedState> prompts,
        [PersistentState("prompt-page-ends", StoreNames.Main)] IPersistentState<PackedState> state,
        ContextCache contexts, ClusterMetrics metrics, TimeProvider time, IOptions<CampaignTiming> timing, ILogger<PromptPageGrain> logger)
    {
        _content = new StateBox<PromptPage>(prompts, CampaignJson.Default.PromptPage, "prompt_page", Limits.MaxTraceBytes, metrics);
        _box = new StateBox<PageRecord>(state, CampaignJson.Default.PageRecord, "prompt_page_ends", Limits.MaxStateBytes, metrics, PromptForms.Ends);
        _contentCommit = new GroupCommit(() => _content.WriteAsync(), DeactivateOnIdle);
        _commit = new GroupCommit(StoreAsync, DeactivateOnIdle, () => timing.Value.EndsGather, time);
        _contexts = contexts;
        _metrics = metrics;
        _logger = logger;
    }

    private string Experiment => Keys.ExperimentOf(this.GetPrimaryKeyString());

    private int Page => Keys.PartOf(this.GetPrimaryKeyString());

    private int First => Page * Limits.PageSize;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _content.Load();
        _box.Load();
        foreach (var end in _box.Value?.Ends ?? []) _ends[end.Prompt] = _stored[end.Prompt] = end;
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _contentCommit.CloseAsync();
        await _commit.CloseAsync();
    }

    public async Task<SubmitReply> Put(PromptPage page)
    {
        if ((Check(page) ?? await CheckPlaceAsync(page)) is { } reason)
        {
            _metrics.CallRefused("prompts");
            return new SubmitReply { Outcome = SubmitOutcome.Refused, Reason = reason };
        }
        if (_content.Value is { } known)
        {
            await _contentCommit.PendingAsync();
            return known.Ids.SequenceEqual(page.Ids, StringComparer.Ordinal) && known.Texts.SequenceEqual(page.Texts, StringComparer.Ordinal)
                ? new SubmitReply { Outcome = SubmitOutcome.Known }
                : new SubmitReply { Outcome = SubmitOutcome.Conflict, Reason = $"page {Page} was put with other prompts" };
        }
        _content.Value = page;
        await _contentCommit.CommitAsync();
        return new SubmitReply { Outcome = SubmitOutcome.Accepted };
    }

    public Task<PromptPage?> Get() => Task.FromResult(_content.Stored);

    public Task<int> Count() => Task.FromResult(_content.Stored?.Ids.Count ?? 0);

    public Task<IReadOnlyList<string>?> Ids() => Task.FromResult(_content.Stored?.Ids);

    public Task<IReadOnlyList<PromptEnd>> Ends() => Task.FromResult<IReadOnlyList<PromptEnd>>([.. _stored.Values.OrderBy(e => e.Prompt)]);

    public Task Tell(IReadOnlyList<PromptOrder> orders)
    {
        if (_content.Stored is not { } page) throw new SiloException($"page {Page} of '{Experiment}' was never put");
        var told = new List<Task>(orders.Count);
        foreach (var order in orders)
        {
            // An end that is not stored yet is told when it is.
            if (_stored.TryGetValue(order.Prompt, out var end)) _untold[order.Prompt] = end;
            if (_ends.ContainsKey(order.Prompt)) continue;
            var place = order.Prompt - First;
            told.Add(GrainFactory.To<IPromptGrain>(Keys.Prompt(Experiment, page.Ids[place])).Tell(order, page.Texts[place]));
        }
        Carry();
        return Task.WhenAll(told);
    }

    public Task PromptEnded(PromptEnd end)
    {
        // The first end stands: a prompt has one.
        return _ends.TryAdd(end.Prompt, end) ? _commit.CommitAsync() : _commit.PendingAsync();
    }

    private async Task StoreAsync()
    {
        _box.Value = new PageRecord { Ends = [.. _ends.Values] };
        await _box.WriteAsync();
        foreach (var end in _box.Stored!.Ends)
            if (_stored.TryAdd(end.Prompt, end)) _untold[end.Prompt] = end;
        Carry();
    }

    private void Carry()
    {
        if (_telling.IsCompleted && _untold.Count > 0) _telling = TellCampaignAsync();
    }

    private async Task TellCampaignAsync()
    {
        while (_untold.Count > 0)
        {
            PromptEnd[] batch = [.. _untold.Values];
            try
            {
                await GrainFactory.To<IExperimentGrain>(Experiment).PromptsEnded(batch);
            }
            catch (Exception e)
            {
                // The campaign's reminder tells its prompts to begin, and then hears of their ends.
                LogNotTold(this.GetPrimaryKeyString(), e.Message);
                return;
            }
            foreach (var end in batch) _untold.Remove(end.Prompt);
        }
    }

    private async Task<string?> CheckPlaceAsync(PromptPage page)
    {
        int number, prompts;
        try
        {
            number = Page;
            prompts = (await _contexts.GetAsync(Experiment)).Shared.Prompts;
        }
        catch (SiloException e)
        {
            return $"{e.Message}: submit it before its prompts";
        }
        var expected = Math.Clamp(prompts - number * (long)Limits.PageSize, 0, Limits.PageSize);
        return page.Ids.Count == expected ? null : $"page {number} with {page.Ids.Count} prompts: of {prompts} prompts it has {expected}";
    }

    private static string? Check(PromptPage page)
    {
        if (page?.Ids is null || page.Texts is null) return "a page without prompts";
        if (page.Ids.Count != page.Texts.Count) return $"{page.Ids.Count} ids and {page.Texts.Count} texts";
        if (page.Ids.Count is < 1 or > Limits.PageSize) return $"{page.Ids.Count} prompts in a page: expected 1 to {Limits.PageSize}";
        var ids = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < page.Ids.Count; i++)
        {
            if (page.Ids[i] is null || page.Texts[i] is null) return $"prompt {i + 1} of the page has no id or no text";
            if (!ids.Add(page.Ids[i])) return $"prompt '{page.Ids[i]}' stands twice in the page";
            if (Keys.PromptRefusal(page.Ids[i]) is { } reason) return $"prompt {i + 1} of the page: {reason}";
            if (page.Texts[i].Length > Limits.MaxPromptLength) return $"prompt '{page.Ids[i]}' has {page.Texts[i].Length} characters, at most {Limits.MaxPromptLength} are taken";
        }
        return null;
    }

    [LoggerMessage(LogLevel.Warning, "Page {Page} could not tell its campaign: {Reason}")]
    private partial void LogNotTold(string page, string reason);
}
