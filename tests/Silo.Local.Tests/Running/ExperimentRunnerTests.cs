using Silo.Core;
using Silo.Experiments.Campaign;
using Silo.Experiments.Generation;
using Silo.Experiments.Spec;
using Silo.Local.Boards;
using Silo.Local.Models;
using Silo.Local.Running;
using Silo.Storage.Runs;

namespace Silo.Local.Tests.Running;

public sealed class ExperimentRunnerTests : IDisposable
{
    private static readonly ExperimentSpec s_spec = new()
    {
        Name = "toy",
        Prompts = [.. Enumerable.Range(0, 12).Select(i => new Prompt($"p{i}", $"Once {i}"))],
        MaxTokens = 12,
    };

    private readonly TempFolder _folder = new();

    private string Run => _folder["run"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_run_makes_every_text_once_and_ends_with_its_digest()
    {
        var engine = new ToyEngine();
        var events = await All(Request(engine));
        Assert.IsType<RunEvent.Started>(events[0]);
        Assert.Equal(36, events.OfType<RunEvent.GenerationFinished>().Select(e => e.Key).Distinct().Count());
        Assert.Equal(12, events.OfType<RunEvent.PromptFinished>().Count(e => e is { Kept: 3, Failed: 0 }));
        var table = Assert.Single(events.OfType<RunEvent.BoardChanged>(), e => e.Final).Table;
        Assert.Contains(table.Results, r => r.Gold == "heuristic/mean_rank");
        var done = Assert.IsType<RunEvent.Done>(events[^1]);
        using var reader = RunReader.Open(Run);
        Assert.Equal((36, 0, reader.Digest().Hex), (done.Generations, done.Failed, done.Digest));
        Assert.Equal([engine.Fingerprint], done.Engines);
        Assert.Equal(36, reader.Ranks().Count);
        Assert.All(reader.Records([], traces: true), r => Assert.NotEmpty(r.Trace));
    }

    [Fact]
    public async Task A_finished_run_answers_without_asking_the_engine()
    {
        var first = Done(await All(Request(new ToyEngine())));
        var engine = new ToyEngine();
        var events = await All(Request(engine));
        Assert.Equal(0, engine.Calls);
        Assert.Equal(first with { Engines = [] }, Done(events) with { Engines = [] });
        Assert.Single(events.OfType<RunEvent.BoardChanged>());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(9)]
    public async Task Stopped_and_run_again_the_end_is_the_same(int stopAtCall)
    {
        var undisturbed = Done(await All(Request(new ToyEngine()) with { Directory = _folder["other"] }));
        using var stop = new CancellationTokenSource();
        var engine = new ToyEngine
        {
            Before = async (call, _, _) =>
            {
                if (call == stopAtCall) await stop.CancelAsync();
            },
        };
        var events = new List<RunEvent>();
        await foreach (var e in ExperimentRunner.RunAsync(Request(engine) with { Window = 2 }, stop.Token, TestContext.Current.CancellationToken)) events.Add(e);
        var stopped = Assert.IsType<RunEvent.Stopped>(events[^1]);
        Assert.InRange(stopped.Kept, 3, 35);
        Assert.Equal(stopped.Kept, events.OfType<RunEvent.GenerationFinished>().Count());

        var again = new ToyEngine();
        Assert.Equal(undisturbed.Digest, Done(await All(Request(again))).Digest);
        Assert.Equal(12, engine.Calls + again.Calls);
    }

    [Fact]
    public async Task Aborted_in_the_middle_what_was_stored_is_there_and_the_end_is_the_same()
    {
        var undisturbed = Done(await All(Request(new ToyEngine()) with { Directory = _folder["other"] }));
        using var abort = new CancellationTokenSource();
        var engine = new ToyEngine
        {
            Before = async (call, _, cancelled) =>
            {
                if (call < 6) return;
                await abort.CancelAsync();
                await Task.Delay(Timeout.Infinite, cancelled);
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in ExperimentRunner.RunAsync(Request(engine), CancellationToken.None, abort.Token)) { }
        });
        Assert.Equal(undisturbed.Digest, Done(await All(Request(new ToyEngine()))).Digest);
    }

    [Fact]
    public async Task A_busy_engine_costs_no_attempt_and_a_failing_one_is_tried_again()
    {
        var engine = new ToyEngine
        {
            Before = (call, _, _) => call % 3 == 0 ? throw new EngineBusyException() : call % 3 == 1 ? throw new InvalidOperationException("it\nbroke") : Task.CompletedTask,
        };
        var events = await All(Request(engine) with { Patience = Quick with { Attempts = 1000 } });
        Assert.Equal(36, Done(events).Generations);
        Assert.All(events.OfType<RunEvent.GenerationFailed>(), f => Assert.Equal(("it broke", false), (f.Reason, f.Final)));
        Assert.NotEmpty(events.OfType<RunEvent.GenerationFailed>());
    }

    [Fact]
    public async Task What_fails_for_good_stays_visible_with_its_reason_and_can_be_tried_again()
    {
        var engine = new ToyEngine
        {
            Before = (_, request, _) => request.Prompt switch
            {
                "Once 3" => throw new SiloException("the prompt has 900 tokens, the context 512"),
                "Once 4" => throw new InvalidOperationException("it broke"),
                _ => Task.CompletedTask,
            },
        };
        var done = Done(await All(Request(engine)));
        Assert.Equal((30, 6), (done.Generations, done.Failed));
        using (var reader = RunReader.Open(Run))
        {
            Assert.Equal(3, reader.Failures().Count(f => f is { Prompt: "p3", Attempt: 1, Final: true }));
            Assert.Equal(3, reader.Failures().Count(f => f is { Prompt: "p4", Attempt: 3, Final: true }));
        }
        Assert.Equal(6, Done(await All(Request(new ToyEngine()))).Failed);
        var retried = Done(await All(Request(new ToyEngine()) with { RetryFailed = true }));
        Assert.Equal((36, 0), (retried.Generations, retried.Failed));
        Assert.Equal(Done(await All(Request(new ToyEngine()) with { Directory = _folder["other"] })).Digest, retried.Digest);
    }

    [Fact]
    public async Task A_prompt_begun_by_another_numeric_profile_is_made_anew_and_a_whole_one_stays()
    {
        using (var store = RunStore.Open(Run, s_spec, "0", fresh: false, TimeProvider.System))
        {
            void Keep(int prompt, int row) => store.Write(batch => batch.Keep(prompt, row, new GenerationRecord
            {
                Key = store.Plan.Key(prompt, row),
                Tokens = [1],
                Text = "old",
                Finish = FinishReason.Stop,
                Measures = [],
                FeatureHash = new byte[32],
                Engine = "toy/1; model sha256:00; other profile",
            }, []));
            for (var row = 0; row < 3; row++) Keep(0, row);
            Keep(1, 1);
        }
        var events = await All(Request(new ToyEngine()));
        Assert.Equal("p1", Assert.Single(events.OfType<RunEvent.PromptMadeAnew>()).Prompt);
        Assert.Equal(33, events.OfType<RunEvent.GenerationFinished>().Count());
        Assert.Equal(36, events.OfType<RunEvent.GenerationFinished>().Last().Progress.Kept);
        using var reader = RunReader.Open(Run);
        foreach (var prompt in reader.Records([]).GroupBy(r => r.Key.Prompt))
            Assert.Single(prompt.Select(r => r.Engine).Distinct());
        Assert.Equal(2, Done(events).Engines.Count);
        Assert.Equal("p1", Assert.Single(reader.Discards()).Prompt);
    }

    [Fact]
    public async Task Another_model_is_refused()
    {
        await All(Request(new ToyEngine()));
        var error = await Assert.ThrowsAsync<SiloException>(() => All(Request(new ToyEngine { Fingerprint = "toy/1; model sha256:11; exact" })));
        Assert.Contains("its texts are of model sha256:00, the model given is model sha256:11", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ranking_files_are_taken_in_once_and_new_ones_change_the_table()
    {
        File.WriteAllText(_folder["a.csv"], "prompt,item,rater,rank\np0,t0.3-0,ann,1\np0,t0.8-0,ann,2\np0,t1.5-0,ann,3\n");
        File.WriteAllText(_folder["b.csv"], "prompt,item,rater,rank\np0,t0.3-0,ann,3\np0,t1.5-0,ann,1\np1,t0.3-0,ann,1\np1,t0.8-0,ann,2\n");
        var first = await All(Request(new ToyEngine()) with { RankFiles = [_folder["a.csv"]] });
        Assert.Equal(3, Ann());
        await All(Request(new ToyEngine()) with { RankFiles = [_folder["a.csv"]] });
        Assert.Equal(3, Ann());
        var last = await All(Request(new ToyEngine()) with { RankFiles = [_folder["a.csv"], _folder["b.csv"]] });
        Assert.Equal(7, Ann());
        Assert.NotEqual(Rho(first), Rho(last));
        Assert.Equal(Rho(last), Rho(await All(Request(new ToyEngine()))));
        // The same files once more change nothing, though one corrects the other.
        await All(Request(new ToyEngine()) with { RankFiles = [_folder["a.csv"], _folder["b.csv"]] });
        Assert.Equal(7, Ann());

        int Ann()
        {
            using var reader = RunReader.Open(Run);
            return reader.Ranks().Count(r => r.Rater == "ann");
        }

        static double? Rho(List<RunEvent> events) => events.OfType<RunEvent.BoardChanged>().Last().Table.Results
            .First(r => r is { Gold: "mean_rank", Feature: "control.temperature" }).RhoWithin;
    }

    [Fact]
    public async Task An_empty_rank_withdraws_and_stays_withdrawn_when_the_run_goes_on()
    {
        File.WriteAllText(_folder["a.csv"], "prompt,item,rater,rank\np0,t0.3-0,ann,1\np0,t0.8-0,ann,2\np0,t1.5-0,ann,3\np1,t0.3-0,ann,\n");
        File.WriteAllText(_folder["none.csv"], "prompt,item,rater,rank\np0,t0.3-0,ann,\np0,t0.8-0,ann,\np0,t1.5-0,ann,\n");
        var request = Request(new ToyEngine()) with { RankFiles = [_folder["a.csv"]] };
        await All(request);
        Assert.Equal(1, Rated());
        using (var store = RunStore.OpenExisting(Run, TimeProvider.System))
        {
            Assert.Equal(new RanksTaken(3, 3), RankIntake.Take(store, [_folder["none.csv"]]));
            Assert.Equal(new RanksTaken(3, 0), RankIntake.Take(store, [_folder["none.csv"]]));
        }
        await All(request);
        Assert.Equal(0, Rated());
        using (var store = RunStore.OpenExisting(Run, TimeProvider.System))
            Assert.Equal(new RanksTaken(4, 3), RankIntake.Take(store, [_folder["a.csv"]]));
        Assert.Equal(1, Rated());

        int Rated()
        {
            using var reader = RunReader.Open(Run);
            return RunBoard.Of(reader).Board.Read().Results.Where(r => r is { Gold: "mean_rank", Feature: "control.temperature" }).Sum(r => r.NDefined);
        }
    }

    [Theory]
    [InlineData("prompt,item,rater,rank\npX,t0.3-0,ann,1\n", ":2: the experiment has no prompt \"pX\"")]
    [InlineData("prompt,item,rater,rank\np0,t0.3-0,ann,1\np0,t0.4-0,ann,1\n", ":3: prompt \"p0\" has no item \"t0.4-0\" (its first is \"t0.3-0\")")]
    public async Task Ranks_of_texts_that_the_experiment_does_not_have_are_refused(string csv, string expected)
    {
        File.WriteAllText(_folder["r.csv"], csv);
        var error = await Assert.ThrowsAsync<SiloException>(() => All(Request(new ToyEngine()) with { RankFiles = [_folder["r.csv"]] }));
        Assert.Equal($"{_folder["r.csv"]}{expected}", error.Message);
    }

    [Fact]
    public async Task A_run_of_ten_thousand_finished_texts_goes_on_without_asking_for_one_of_them()
    {
        var spec = s_spec with { Prompts = [.. Enumerable.Range(0, 3334).Select(i => new Prompt($"p{i}", "Once"))], Gold = new GoldSources { HeuristicJudge = false } };
        using (var store = RunStore.Open(Run, spec, "0", fresh: false, TimeProvider.System))
            store.Write(batch =>
            {
                for (long number = 0; number < 10_000; number++)
                    batch.Keep((int)(number / 3), (int)(number % 3), new GenerationRecord
                    {
                        Key = store.Plan.Key(number),
                        Tokens = [1],
                        Text = "a",
                        Finish = FinishReason.Stop,
                        Measures = [],
                        FeatureHash = new byte[32],
                        Engine = new ToyEngine().Fingerprint,
                    }, []);
            });
        var engine = new ToyEngine();
        var finished = new List<RunEvent>();
        await foreach (var e in ExperimentRunner.RunAsync(Request(engine) with { Spec = spec }, CancellationToken.None, TestContext.Current.CancellationToken))
        {
            if (e is RunEvent.GenerationFinished or RunEvent.PromptFinished) finished.Add(e);
            if (e is RunEvent.Started started) Assert.Equal(10_000, started.Kept);
            if (e is RunEvent.PromptFinished) break;
        }
        Assert.Equal(1, engine.Calls);
        Assert.Equal(2, finished.OfType<RunEvent.GenerationFinished>().Count());
    }

    private static PromptRunOptions Quick { get; } = new() { AskTimeout = null, RetryDelay = 1, BusyDelay = 1, LongestDelay = 2 };

    private RunRequest Request(ToyEngine engine) => new()
    {
        Spec = s_spec,
        Directory = Run,
        Model = new LocalModel(engine),
        Patience = Quick,
    };

    private static RunEvent.Done Done(List<RunEvent> events) => Assert.IsType<RunEvent.Done>(events[^1]);

    private static async Task<List<RunEvent>> All(RunRequest request)
    {
        var events = new List<RunEvent>();
        await foreach (var e in ExperimentRunner.RunAsync(request, CancellationToken.None, TestContext.Current.CancellationToken)) events.Add(e);
        return events;
    }
}
