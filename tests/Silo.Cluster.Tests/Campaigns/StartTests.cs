using Silo.Client;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Grains;
using Silo.Cluster.Tests.Fixtures;
using Silo.Core;
using Silo.Experiments.Spec;

namespace Silo.Cluster.Tests.Campaigns;

/// <summary>What is looked at before a campaign starts, and what cannot make one hang.</summary>
public sealed class StartTests : IAsyncLifetime
{
    private readonly WireFaults _wire = new(1) { Share = 0 };
    private TestCluster _cluster = null!;
    private CampaignTiming _timing = null!;
    private Func<Silo.Experiments.Generation.GenerationResult, Silo.Experiments.Generation.GenerationResult> _change = result => result;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _cluster = await TestCluster.StartAsync(new TestWorld
    {
        InferenceSilos = 1,
        Wire = _wire,
        Timing = of => _timing = of,
        Engine = () => new ToyEngine { Change = result => _change(result) },
    });

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_hash_that_spec_and_prompts_do_not_have_is_refused()
    {
        var spec = Specs.Small(2);
        var experiment = await SendAsync("e", spec, new string('0', 64));
        var refused = await Assert.ThrowsAsync<SiloException>(experiment.Start);
        Assert.Contains($"what was sent has hash {SpecIdentity.Of(spec).Hash[..12]}, not 000000000000 as was said", refused.Message, StringComparison.Ordinal);
        await NothingBeginsAsync(experiment);

        // Prompts that differ from those that were hashed are no better than another spec.
        experiment = await SendAsync("f", spec, SpecIdentity.Of(spec with { Prompts = [spec.Prompts[0], new Prompt("p2", "something else")] }).Hash);
        Assert.Contains("what was sent has hash", (await Assert.ThrowsAsync<SiloException>(experiment.Start)).Message, StringComparison.Ordinal);
        // The same prompts in the same pages have the hash that was submitted.
        experiment = await SendAsync("g", spec, SpecIdentity.Of(spec).Hash);
        Assert.Null(await experiment.Start());
    }

    [Fact]
    public async Task A_prompt_id_that_stands_on_two_pages_is_refused_with_both_places()
    {
        var spec = Specs.Small(Limits.PageSize + 50);
        spec = spec with { Prompts = [.. spec.Prompts.Select((p, i) => i == Limits.PageSize + 4 ? p with { Id = "p3" } : p)] };
        const string Places = "prompt id 'p3' stands twice, as prompt 3 ";
        Assert.Contains(Places, (await Assert.ThrowsAsync<SiloException>(() => _cluster.Client.SubmitAsync("e", spec, new SubmitOptions(), null, Cancellation))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SiloException>(() => _cluster.Client.StatusAsync("e", Cancellation));

        var experiment = await SendAsync("e", spec, SpecIdentity.Of(spec).Hash);
        for (var i = 0; i < 2; i++)
            Assert.Contains($"{Places}(page 0) and as prompt 205 (page 1)", (await Assert.ThrowsAsync<SiloException>(experiment.Start)).Message, StringComparison.Ordinal);
        await NothingBeginsAsync(experiment);
    }

    [Fact]
    public async Task Ids_that_no_store_could_keep_apart_or_keep_at_all_are_refused()
    {
        await SendAsync("e", Specs.Small(1), new string('0', 64));
        var page = _cluster.Orleans.GetGrain<IPromptPageGrain>("e/000000");
        foreach (var (id, reason) in new[] { (new string('é', 67), "takes 402 characters in a key, at most 384 fit"), (new string('x', 201), "expected 1 to 200 characters") })
        {
            // The page of this experiment is there already: what is wrong with the id is said first.
            var reply = await page.Put(new PromptPage { Ids = [id], Texts = ["one"] });
            Assert.Equal(SubmitOutcome.Refused, reply.Outcome);
            Assert.Contains(reason, reply.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Before_it_has_started_a_campaign_neither_pauses_nor_goes_on()
    {
        var spec = Specs.Small(1);
        var experiment = await SendAsync("e", spec, SpecIdentity.Of(spec).Hash);
        foreach (var call in (Func<Task>[])[experiment.Pause, experiment.Resume])
            Assert.Contains("has not started", (await Assert.ThrowsAsync<SiloException>(call)).Message, StringComparison.Ordinal);
        Assert.Equal(("new", 0), (await experiment.Status()) is { } status ? (status.Status, status.InFlight) : default);
        Assert.Equal(3, (await experiment.SetWindow(3))!.Window);
        await experiment.Start();
        Assert.Equal("finished", (await _cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation)).Status);
    }

    [Fact]
    public async Task A_prompt_is_told_as_one_prompt_only()
    {
        var spec = Specs.Small(2);
        await _cluster.Client.SubmitAsync("e", spec, new SubmitOptions(), null, Cancellation);
        await _cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation);
        var told = await Assert.ThrowsAsync<SiloException>(() => _cluster.Orleans.GetGrain<IPromptGrain>("e/p2").Tell(new PromptOrder(0, PromptOrderKind.Begin), "text"));
        Assert.Equal("prompt 'p2' is number 1 of its experiment, not 0", told.Message);
    }

    [Fact]
    public async Task A_campaign_whose_reminder_got_lost_is_reminded_again_once_anybody_asks_for_it()
    {
        using var gate = new SemaphoreSlim(0);
        _change = result =>
        {
            gate.Wait(Cancellation);
            return result;
        };
        var spec = Specs.Small(3);
        await _cluster.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 1 }, null, Cancellation);
        Assert.Equal(1, _cluster.World.Reminders.Count);
        await _cluster.World.Reminders.TestOnlyClearTable();
        await _cluster.DeactivateAsync(_cluster.Orleans.GetGrain<IExperimentGrain>("e"));
        Assert.Equal("running", (await _cluster.Client.StatusAsync("e", Cancellation)).Status);
        while (_cluster.World.Reminders.Count == 0) await Task.Delay(20, Cancellation);
        gate.Release(100);
        Assert.Equal(9, (await _cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation)).Kept);
        while (_cluster.World.Reminders.Count > 0) await Task.Delay(20, Cancellation);
    }

    [Fact]
    public async Task A_campaign_whose_reminders_never_come_reminds_itself()
    {
        _wire.LosesReminders = true;
        using var gate = new SemaphoreSlim(0);
        _change = result =>
        {
            gate.Wait(Cancellation);
            return result;
        };
        await _cluster.Client.SubmitAsync("e", Specs.Small(1), new SubmitOptions(), null, Cancellation);
        while ((await _cluster.Client.StatusAsync("e", Cancellation)).InFlight == 0) await Task.Delay(20, Cancellation);
        await Task.Delay(200, Cancellation);
        await _cluster.World.Reminders.TestOnlyClearTable();
        // What the prompt waited for is lost with it, and nobody tells it to begin again but its campaign.
        await _cluster.DeactivateAsync(_cluster.Orleans.GetGrain<IPromptGrain>("e/p1"));
        gate.Release(100);
        Assert.Equal(3, (await _cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation)).Kept);
    }

    [Fact]
    public async Task Texts_and_reasons_too_long_to_be_kept_are_given_up_and_the_campaign_ends()
    {
        _change = result => result.Key.Prompt switch
        {
            "p1" => result with { Text = new string('x', 6_000_000) },
            "p2" => throw new InvalidOperationException(new string('y', 2_000_000)),
            _ => result,
        };
        await _cluster.Client.SubmitAsync("e", Specs.Small(3), new SubmitOptions(), null, Cancellation);
        var end = await _cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation);
        Assert.Equal((3L, 6L), (end.Kept, end.Failed));
        var tooLong = (await _cluster.Client.TextsAsync("e", "p1", false, Cancellation)).Failures;
        Assert.All(tooLong, f => Assert.Matches(@"^the texts take \d+ bytes: at most 50331648 are taken$", f.Reason));
        var tooWordy = (await _cluster.Client.TextsAsync("e", "p2", false, Cancellation)).Failures;
        Assert.All(tooWordy, f => Assert.Equal(Limits.MaxReasonLength + 3, f.Reason.Length));
        Assert.Equal((3, 3), (tooLong.Count, tooWordy.Count));
    }

    [Fact]
    public async Task Ranks_leave_room_for_how_the_texts_end()
    {
        using var gate = new SemaphoreSlim(0);
        // Nothing makes names and reasons shorter.
        string Noise(int bytes) => Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(bytes));
        _change = result =>
        {
            gate.Wait(Cancellation);
            throw new InvalidOperationException(Noise(200));
        };
        await _cluster.Client.SubmitAsync("e", Specs.Small(1), new SubmitOptions(), null, Cancellation);
        var prompt = _cluster.Orleans.GetGrain<IPromptGrain>("e/p1");
        foreach (var ranks in (int[])[4000, 2000, 1000, 500, 250, 120, 60, 30, 15, 7, 4, 2, 1, 1, 1])
        {
            RankMessage[] batch = [.. Enumerable.Range(0, ranks).Select(_ => new RankMessage { Item = "t0.3-0", Rater = Noise(150), Rank = 1 })];
            if ((await prompt.Rank(batch)).Refused is { } reason) Assert.Contains($"over the limit of {Limits.MaxRankedBytes}", reason, StringComparison.Ordinal);
            // Sent again, they change nothing, and nothing is refused.
            else Assert.Equal(ranks, (await prompt.Rank(batch)).Repeated);
        }
        gate.Release(100);
        Assert.Equal(3, (await _cluster.Client.WatchAsync("e", 0, Cancellation).LastAsync(Cancellation)).Failed);
    }

    [Fact]
    public async Task A_submission_that_does_not_start_in_time_gives_its_place_to_one_that_needs_it()
    {
        var spec = Specs.Small(1);
        for (var i = 0; i < Limits.MaxOpenExperiments; i++) await SendAsync($"idle-{i}", spec, SpecIdentity.Of(spec).Hash);
        var refused = await Assert.ThrowsAsync<SiloException>(() => _cluster.Client.SubmitAsync("late", spec, new SubmitOptions(), null, Cancellation));
        Assert.Contains("64 experiments are open already", refused.Message, StringComparison.Ordinal);
        _timing.StartWithin = TimeSpan.Zero;
        using var gate = new SemaphoreSlim(0);
        _change = result =>
        {
            gate.Wait(Cancellation);
            return result;
        };
        await _cluster.Client.SubmitAsync("late", spec, new SubmitOptions(), null, Cancellation);
        Assert.Equal(["late"], await _cluster.Client.OpenExperimentsAsync(Cancellation));

        // Those may still start, as long as there is a place; and one that runs keeps its own.
        _timing.StartWithin = TimeSpan.FromDays(1);
        for (var i = 1; i < Limits.MaxOpenExperiments; i++) await SendAsync($"more-{i}", spec, SpecIdentity.Of(spec).Hash);
        var idle = _cluster.Orleans.GetGrain<IExperimentGrain>("idle-0");
        Assert.Contains("'idle-0' cannot start yet: 64 experiments are open already", (await Assert.ThrowsAsync<SiloException>(idle.Start)).Message, StringComparison.Ordinal);
        _timing.StartWithin = TimeSpan.Zero;
        Assert.Null(await idle.Start());
        Assert.Equal(["idle-0", "late"], await _cluster.Client.OpenExperimentsAsync(Cancellation));
        gate.Release(100);
        foreach (var id in (string[])["idle-0", "late"]) Assert.Equal("finished", (await _cluster.Client.WatchAsync(id, 0, Cancellation).LastAsync(Cancellation)).Status);
    }

    private async Task NothingBeginsAsync(IExperimentGrain experiment)
    {
        Assert.Equal(("new", 0), (await experiment.Status()) is { } status ? (status.Status, status.InFlight) : default);
        // It takes a place among the open ones until it is cancelled.
        Assert.Contains(experiment.GetPrimaryKeyString(), await _cluster.Client.OpenExperimentsAsync(Cancellation));
        Assert.Equal("cancelled", (await experiment.Cancel())!.Status);
        while ((await _cluster.Client.OpenExperimentsAsync(Cancellation)).Contains(experiment.GetPrimaryKeyString())) await Task.Delay(20, Cancellation);
    }

    private async Task<IExperimentGrain> SendAsync(string id, ExperimentSpec spec, string hash)
    {
        var experiment = _cluster.Orleans.GetGrain<IExperimentGrain>(id);
        var reply = await experiment.Submit(new Submission { Spec = SpecWriter.Write(spec with { Prompts = [], PromptsFile = "prompts.jsonl" }), Hash = hash, Prompts = spec.Prompts.Count });
        Assert.Equal(SubmitOutcome.Accepted, reply.Outcome);
        foreach (var (number, page) in spec.Prompts.Chunk(Limits.PageSize).Index())
            Assert.Equal(SubmitOutcome.Accepted, (await _cluster.Orleans.GetGrain<IPromptPageGrain>(Keys.Part(id, number)).Put(new PromptPage { Ids = [.. page.Select(p => p.Id)], Texts = [.. page.Select(p => p.Text)] })).Outcome);
        return experiment;
    }
}
