using Silo.Client;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Tests.Fixtures;
using Silo.Core;
using Silo.Experiments.Ranking;
using Silo.Local.Boards;
using Silo.Storage.Runs;

namespace Silo.Cluster.Tests.Clients;

/// <summary>One cluster for all tests of the client; each has an experiment of its own.</summary>
public sealed class ClientTests(ClientTests.Running running) : IClassFixture<ClientTests.Running>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private SiloClient Client => running.Cluster.Client;

    [Fact]
    public async Task Submitting_again_changes_nothing_and_another_spec_is_refused()
    {
        var spec = Specs.Small(3);
        Assert.Equal(SubmitOutcome.Accepted, await Client.SubmitAsync("again", spec, new SubmitOptions(), null, Cancellation));
        var end = await EndAsync("again");
        Assert.Equal(SubmitOutcome.Known, await Client.SubmitAsync("again", spec, new SubmitOptions { Window = 7 }, null, Cancellation));
        foreach (var other in new[] { spec with { Seed = 8 }, spec with { Prompts = [.. spec.Prompts.Skip(1)] }, spec with { MaxTokens = 5 } })
            Assert.Contains("submitted before with another spec", (await Assert.ThrowsAsync<SiloException>(() => Client.SubmitAsync("again", other, new SubmitOptions(), null, Cancellation))).Message, StringComparison.Ordinal);
        Assert.Equal(end.Sequence, (await Client.StatusAsync("again", Cancellation)).Sequence);
    }

    [Fact]
    public async Task Pause_resume_window_and_a_watch_from_an_old_number()
    {
        var gate = running.Gate = new Gate(3);
        var spec = Specs.Small(12, "steered");
        await Client.SubmitAsync("steered", spec, new SubmitOptions { Window = 1 }, null, Cancellation);
        await foreach (var seen in Client.WatchAsync("steered", 0, Cancellation))
            if (seen.Ended >= 2) break;
        var paused = await Client.PauseAsync("steered", Cancellation);
        Assert.Equal("paused", paused.Status);
        await Task.Delay(500, Cancellation);
        var later = await Client.StatusAsync("steered", Cancellation);
        Assert.InRange(later.Ended, paused.Ended, paused.Ended + 1);
        Assert.Equal((5, 5), (await Client.SetWindowAsync("steered", 5, Cancellation)) is var set ? (set.Window, set.Open) : default);
        Assert.Equal("running", (await Client.ResumeAsync("steered", Cancellation)).Status);
        gate.Open();

        var numbers = new List<long>();
        CampaignStatusReply? last = null;
        await foreach (var seen in Client.WatchAsync("steered", 2, Cancellation)) numbers.Add((last = seen).Sequence);
        Assert.True(numbers[0] > 2);
        Assert.Equal(numbers.Order().Distinct(), numbers);
        Assert.Equal(await Specs.LocalDigestAsync(spec, new ToyEngine()), last!.Digest);
        // Watching what is over tells its end at once; from its last number there is nothing to tell.
        Assert.Equal(last.Sequence, (await Client.WatchAsync("steered", 0, Cancellation).SingleAsync(Cancellation)).Sequence);
        Assert.Empty(await Client.WatchAsync("steered", last.Sequence, Cancellation).ToArrayAsync(Cancellation));
    }

    [Fact]
    public async Task Cancelling_ends_a_campaign_and_keeps_what_is_stored()
    {
        var gate = running.Gate = new Gate(4);
        await Client.SubmitAsync("given-up", Specs.Small(400, "given-up"), new SubmitOptions { Window = 2 }, null, Cancellation);
        await foreach (var seen in Client.WatchAsync("given-up", 0, Cancellation))
            if (seen.Ended >= 1) break;
        await Client.CancelAsync("given-up", Cancellation);
        var end = await EndAsync("given-up");
        gate.Open();
        Assert.Equal("cancelled", end.Status);
        // Those in flight were given up.
        Assert.InRange(end.Ended, 3, 6);
        Assert.Equal(3, (await Client.TextsAsync("given-up", "p1", traces: false, Cancellation)).Texts.Count);
        while ((await Client.OpenExperimentsAsync(Cancellation)).Contains("given-up")) await Task.Delay(20, Cancellation);
        Assert.Equal("cancelled", (await Client.ResumeAsync("given-up", Cancellation)).Status);
    }

    [Fact]
    public async Task Ranks_late_corrected_withdrawn_and_repeated_are_counted_once()
    {
        var spec = Specs.Small(4, "ranked");
        await Client.SubmitAsync("ranked", spec, new SubmitOptions(), null, Cancellation);
        await EndAsync("ranked");
        var ranks = Faults.Chaos.Ranks(spec, 3).Where(r => r.Revision == 0).DistinctBy(r => (r.Prompt, r.Item, r.Rater)).ToArray();
        Assert.Equal((ranks.Length, 0, 0, 0), Counts(await Client.RankAsync("ranked", ranks, Cancellation)));
        Assert.Equal((0, 0, 0, ranks.Length), Counts(await Client.RankAsync("ranked", ranks, Cancellation)));
        await Recount.AssertBoardAsync(running.Cluster.Orleans, "ranked", spec);
        RankEvent corrected = ranks[0] with { Rank = 3.5, Revision = 2 }, withdrawn = ranks[1] with { Rank = null, Revision = 1 };
        Assert.Equal((0, 1, 1, 0), Counts(await Client.RankAsync("ranked", [corrected, withdrawn], Cancellation)));
        // What is older than what stands changes nothing, however late it comes.
        Assert.Equal((0, 0, 0, 2), Counts(await Client.RankAsync("ranked", [ranks[0] with { Revision = 1 }, ranks[1]], Cancellation)));
        await Recount.AssertRanksAsync(Client, "ranked", spec, [.. ranks, corrected, withdrawn]);
        await Recount.AssertBoardAsync(running.Cluster.Orleans, "ranked", spec);
        var board = await Client.BoardAsync("ranked", Cancellation);
        Assert.Equal((4, 12), (board.Prompts, board.Texts));
        Assert.Contains(board.Lines, l => l is { Gold: "mean_rank", Measure: "control.temperature", Declared: true, Defined: > 0 });
    }

    [Fact]
    public async Task An_export_is_a_run_that_everything_else_reads()
    {
        var spec = Specs.Small(5, "exported");
        await Client.SubmitAsync("exported", spec, new SubmitOptions(), null, Cancellation);
        var end = await EndAsync("exported");
        var ranks = Faults.Chaos.Ranks(spec, 5);
        await Client.RankAsync("exported", ranks, Cancellation);
        var folder = Path.Combine(Path.GetTempPath(), "silo-test-" + Path.GetRandomFileName());
        try
        {
            // Twice: the second finds everything there.
            for (var i = 0; i < 2; i++)
                Assert.Equal(end.Digest, (await CampaignExport.ExportAsync(Client, "exported", folder, "0.0.0", traces: true, null, Cancellation)).Hex);
            using var run = RunReader.Open(folder);
            Assert.Equal((15L, end.Digest, end.Tokens), (run.Info().Kept, run.Info().Digest, run.Info().Tokens));
            Assert.Equal(spec.Prompts, run.Spec.Prompts);
            Assert.NotNull(run.Trace(run.Plan.Key(0)));
            var board = RunBoard.Of(run).Board;
            var sums = await Recount.SumsAsync(running.Cluster.Orleans, "exported", board.Design);
            Assert.All(["mean_rank", "pairwise_majority", "judges/mean_rank"], gold => Assert.True(board.Sums.Golds[gold].SameAs(sums.Golds[gold])));
            Assert.Equal(5, board.Sums.Prompts);
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task What_is_not_there_is_said_in_one_line()
    {
        await Client.SubmitAsync("there", Specs.Small(1, "there"), new SubmitOptions(), null, Cancellation);
        (Func<Task> Call, string Line)[] cases =
        [
            (() => Client.StatusAsync("nowhere", Cancellation), "there is no experiment 'nowhere'"),
            (() => Client.PauseAsync("nowhere", Cancellation), "there is no experiment 'nowhere'"),
            (() => Client.BoardAsync("nowhere", Cancellation), "there is no experiment 'nowhere'"),
            (() => Client.TextsAsync("nowhere", "p1", false, Cancellation), "there is no experiment 'nowhere'"),
            (() => Client.RankAsync("nowhere", [new("p1", "t0.3-0", "ann", null, 1)], Cancellation), "there is no experiment 'nowhere'"),
            (() => Client.TextsAsync("there", "p9", false, Cancellation), "experiment 'there' has no prompt 'p9'"),
            (() => Client.RankAsync("there", [new("p9", "t0.3-0", "ann", null, 1)], Cancellation), "experiment 'there' has no prompt 'p9'"),
            (() => Client.RankAsync("there", [new("p1", "t9-0", "ann", null, 1)], Cancellation), "prompt 'p1' has no item 't9-0'"),
            (() => Client.RankAsync("there", [new("p1", "t0.3-0", "ann", null, double.NaN)], Cancellation), "expected a finite number"),
            (() => Client.RankAsync("there", [new("p1", "t0.3-0", "", null, 1)], Cancellation), "a rater's name of 0 characters"),
            (() => Client.SetWindowAsync("there", 0, Cancellation), "window 0: expected 1 to 4096"),
            (() => Client.SetWindowAsync("there", 5000, Cancellation), "window 5000: expected 1 to 4096"),
            (() => Client.StatusAsync("Not An Id", Cancellation), "experiment id 'Not An Id'"),
            (() => Client.SubmitAsync("long", Specs.Small(1) with { Prompts = [new("p", new string('x', Limits.MaxPromptLength + 1))] }, new SubmitOptions(), null, Cancellation), "has 32769 characters"),
            (() => Client.SubmitAsync("large", Specs.Small(1) with { MaxTokens = 32_768, Samples = 80 }, new SubmitOptions(), null, Cancellation), "bytes: at most"),
            (() => Client.SubmitAsync("many", Specs.Small(1) with { Samples = 1000 }, new SubmitOptions(), null, Cancellation), "at most 256 texts a prompt"),
            (() => Client.SubmitAsync("long-texts", Specs.Small(1) with { MaxTokens = 40_000 }, new SubmitOptions(), null, Cancellation), "max_tokens 40000: at most 32768"),
            (() => Client.SubmitAsync("measure", Specs.Small(1) with { PrimaryMeasures = ["no.such"] }, new SubmitOptions(), null, Cancellation), "no.such"),
        ];
        foreach (var (call, line) in cases)
        {
            var refused = await Assert.ThrowsAsync<SiloException>(call);
            Assert.Contains(line, refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', refused.Message);
        }
    }

    [Fact]
    public async Task An_experiment_has_so_many_panels_and_no_more()
    {
        await Client.SubmitAsync("panels", Specs.Small(2, "panels"), new SubmitOptions(), null, Cancellation);
        RankEvent Of(int panel, string prompt = "p1") => new(prompt, "t0.3-0", "ann", $"panel{panel}", 1);
        await Client.RankAsync("panels", [.. Enumerable.Range(1, Limits.MaxPanels).Select(i => Of(i) with { Rater = $"rater{i}" })], Cancellation);
        // Whatever the prompt, and however small the batch.
        foreach (var ranks in (RankEvent[][])[[Of(99)], [Of(99, "p2")], [Of(1, "p2"), Of(99, "p2")]])
            Assert.Contains("panel 'panel99' would be number 33 of experiment 'panels'", (await Assert.ThrowsAsync<SiloException>(() => Client.RankAsync("panels", ranks, Cancellation))).Message, StringComparison.Ordinal);
        Assert.Empty(await Client.RanksAsync("panels", "p2", Cancellation));
        Assert.Equal(1, (await Client.RankAsync("panels", [Of(Limits.MaxPanels, "p2")], Cancellation)).New);
    }

    [Fact]
    public async Task Malformed_messages_are_refused_by_the_grains_themselves()
    {
        var orleans = running.Cluster.Orleans;
        var spec = Specs.Small(1, "raw");
        await Client.SubmitAsync("raw", spec, new SubmitOptions(), null, Cancellation);
        var hash = new string('0', 64);
        Submission[] submissions =
        [
            new() { Spec = "no json", Hash = hash, Prompts = 1 }, new() { Spec = "{}", Hash = hash, Prompts = 1 }, new() { Spec = null!, Hash = hash, Prompts = 1 },
            new() { Spec = new string(' ', Limits.MaxSpecLength + 1), Hash = hash, Prompts = 1 }, new() { Spec = """{"prompts":"p.txt"}""", Hash = "", Prompts = 1 },
            new() { Spec = """{"prompts":"p.txt"}""", Hash = hash, Prompts = 0 }, new() { Spec = """{"prompts":"p.txt"}""", Hash = hash, Prompts = int.MaxValue },
            new() { Spec = """{"prompts":"p.txt"}""", Hash = hash, Prompts = 1, Window = 0 },
            new() { Spec = """{"prompts":"p.txt"}""", Hash = hash, Prompts = 1, Model = new string('m', Limits.MaxModelLength + 1) },
            new() { Spec = """{"prompts":"p.txt"}""", Hash = hash, Prompts = 1, Device = "cpu|0" },
        ];
        foreach (var submission in submissions)
            Assert.Equal(SubmitOutcome.Refused, (await orleans.GetGrain<IExperimentGrain>("malformed").Submit(submission)).Outcome);
        Assert.Equal(SubmitOutcome.Refused, (await orleans.GetGrain<IExperimentGrain>("Bad Id").Submit(new Submission { Spec = """{"prompts":"p.txt"}""", Hash = hash, Prompts = 1 })).Outcome);
        Assert.Null(await orleans.GetGrain<IExperimentGrain>("malformed").Status());

        PromptPage[] pages =
        [
            new() { Ids = [], Texts = [] }, new() { Ids = ["a"], Texts = [] }, new() { Ids = ["a", "b"], Texts = ["", ""] }, new() { Ids = [""], Texts = [""] },
            new() { Ids = [null!], Texts = [null!] }, new() { Ids = [new string('a', 201)], Texts = [""] }, new() { Ids = null!, Texts = null! },
        ];
        foreach (var page in pages)
            Assert.Equal(SubmitOutcome.Refused, (await orleans.GetGrain<IPromptPageGrain>("raw/000000").Put(page)).Outcome);
        foreach (var key in (string[])["raw/000001", "raw/0", "raw/x", "raw", "nowhere/000000"])
            Assert.Equal(SubmitOutcome.Refused, (await orleans.GetGrain<IPromptPageGrain>(key).Put(new PromptPage { Ids = ["p1"], Texts = [""] })).Outcome);
        Assert.Equal(SubmitOutcome.Conflict, (await orleans.GetGrain<IPromptPageGrain>("raw/000000").Put(new PromptPage { Ids = ["p1"], Texts = ["other"] })).Outcome);

        var prompt = orleans.GetGrain<IPromptGrain>("raw/p1");
        IReadOnlyList<RankMessage>[] ranks =
        [
            null!, [null!], [new() { Item = null!, Rater = "a" }], [new() { Item = "t0.3-0", Rater = null! }], [new() { Item = "t0.3-0", Rater = "a", Panel = "" }],
            [.. Enumerable.Repeat(new RankMessage { Item = "t0.3-0", Rater = "a", Rank = 1 }, Limits.MaxRanksPerBatch + 1)],
        ];
        foreach (var batch in ranks) Assert.NotNull((await prompt.Rank(batch)).Refused);
        // Another spelling of the same prompt is no second prompt.
        Assert.NotNull((await orleans.GetGrain<IPromptGrain>("raw/%701").Rank([new RankMessage { Item = "t0.3-0", Rater = "a", Rank = 1 }])).Refused);
        Assert.Empty(await prompt.Ranks());
    }

    [Fact]
    public async Task What_was_sent_must_be_what_was_said()
    {
        var spec = Specs.Small(3, "said");
        var said = Silo.Experiments.Spec.SpecIdentity.Of(spec).Hash;
        var grain = running.Cluster.Orleans.GetGrain<IExperimentGrain>("said");
        var json = Silo.Experiments.Spec.SpecWriter.Write(spec with { Prompts = [], PromptsFile = "prompts.jsonl", Seed = spec.Seed + 1 });
        Assert.Equal(SubmitOutcome.Accepted, (await grain.Submit(new Submission { Spec = json, Hash = said, Prompts = 3 })).Outcome);
        Assert.Equal(0, await grain.Start());
        await running.Cluster.Orleans.GetGrain<IPromptPageGrain>("said/000000").Put(new PromptPage { Ids = [.. spec.Prompts.Select(p => p.Id)], Texts = [.. spec.Prompts.Select(p => p.Text)] });
        var refused = await Assert.ThrowsAsync<SiloException>(() => grain.Start());
        Assert.Contains($"not {said[..12]} as was said", refused.Message, StringComparison.Ordinal);
        var status = await Client.StatusAsync("said", Cancellation);
        Assert.Equal(("new", 0, 0), (status.Status, status.InFlight, status.Ended));
        Assert.Equal("cancelled", (await Client.CancelAsync("said", Cancellation)).Status);
    }

    private static (int, int, int, int) Counts(RankReply reply) => (reply.New, reply.Corrected, reply.Withdrawn, reply.Repeated);

    private async Task<CampaignStatusReply> EndAsync(string experiment) => await Client.WatchAsync(experiment, 0, Cancellation).LastAsync(Cancellation);

    public sealed class Running : IAsyncLifetime
    {
        internal TestCluster Cluster { get; private set; } = null!;

        /// <summary>What engines wait at.</summary>
        internal Gate Gate { get; set; } = new(int.MaxValue);

        public async ValueTask InitializeAsync() => Cluster = await TestCluster.StartAsync(new TestWorld
        {
            InferenceSilos = 1,
            Engine = () => new ToyEngine { Before = (_, _, cancelled) => Gate.PassAsync(cancelled) },
        });

        public ValueTask DisposeAsync() => Cluster.DisposeAsync();
    }
}
