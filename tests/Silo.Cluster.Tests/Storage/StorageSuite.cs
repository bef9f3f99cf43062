using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Net;
using System.Security.Cryptography;
using Orleans.Storage;
using Silo.Client;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Tests.Faults;
using Silo.Cluster.Tests.Fixtures;
using Silo.Core;
using Silo.Experiments.Ranking;
using Silo.Experiments.Spec;

namespace Silo.Cluster.Tests.Storage;

/// <summary>What clusters ask of a storage, the same for each that there is.</summary>
public abstract class StorageSuite
{
    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A storage that all tests use; skips the test where there is none to be had.</summary>
    private protected abstract Task<IStorageBackend> SharedAsync();

    /// <summary>One of the test's own, which it may stop; the test disposes of it.</summary>
    private protected abstract Task<IStorageBackend> OwnAsync();

    [Fact]
    public async Task A_campaign_has_the_digest_of_the_local_run_and_ends_clean()
    {
        var spec = Specs.Small(12);
        await using var cluster = await HostedCluster.StartAsync(new TestWorld { Orchestrators = 2, Engine = Slow(10) }, await SharedAsync(), "digest");
        var ranks = Chaos.Ranks(spec, 3);
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions(), null, Cancellation);
        var reminders = cluster.Service<IReminderTable>();
        var campaign = cluster.Orleans.GetGrain<IExperimentGrain>("e").GetGrainId();
        Assert.Single((await reminders.ReadRows(campaign, Cancellation)).Reminders);
        await cluster.Client.RankAsync("e", ranks, Cancellation);
        var end = await EndAsync(cluster);

        Assert.Equal(await Specs.LocalDigestAsync(spec, new ToyEngine()), end.Digest);
        Assert.Equal((12, 36, 0), (end.Ended, end.Kept, end.Failed));
        await Recount.AssertRanksAsync(cluster.Client, "e", spec, ranks);
        await Recount.AssertBoardAsync(cluster.Orleans, "e", spec);
        while ((await reminders.ReadRows(campaign, Cancellation)).Reminders.Count > 0) await Task.Delay(50, Cancellation);
        Assert.Empty(await cluster.Client.OpenExperimentsAsync(Cancellation));
    }

    [Fact]
    public async Task When_all_hosts_were_killed_new_ones_go_on()
    {
        var storage = await SharedAsync();
        var spec = Specs.Small(30);
        var gate = new Gate(15);
        var world = new TestWorld { Engine = gate.Engine, RemindEvery = TimeSpan.FromMilliseconds(500) };
        var ranks = Chaos.Ranks(spec, 4);
        await using var first = await HostedCluster.StartAsync(world, storage, "killed");
        await first.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 3 }, null, Cancellation);
        await first.Client.RankAsync("e", ranks.Take(ranks.Count / 2), Cancellation);
        while ((await first.Client.StatusAsync("e", Cancellation)).Ended < 8) await Task.Delay(50, Cancellation);
        await first.KillAsync();

        await using var second = await HostedCluster.StartAsync(world, storage, "killed");
        var before = await second.Client.StatusAsync("e", Cancellation);
        Assert.InRange(before.Ended, 8, 15);
        gate.Open();
        await second.Client.RankAsync("e", ranks, Cancellation);
        await AssertEndAsync(second, spec, ranks);
    }

    [Fact]
    public async Task When_the_storage_crashes_under_load_the_campaign_waits_and_goes_on()
    {
        var storage = await OwnAsync();
        await using var disposal = (IAsyncDisposable)storage;
        var spec = Specs.Small(40);
        var world = new TestWorld { Engine = Slow(50), RemindEvery = TimeSpan.FromMilliseconds(500) };
        await using var cluster = await HostedCluster.StartAsync(world, storage, "crashed");
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 3 }, null, Cancellation);
        while ((await cluster.Client.StatusAsync("e", Cancellation)).Ended < 8) await Task.Delay(20, Cancellation);
        var ranks = Chaos.Ranks(spec, 5);
        var ranking = Chaos.InsistAsync(() => cluster.Client.RankAsync("e", ranks, Cancellation), Cancellation);
        await storage.StopAsync();
        await Task.Delay(500, Cancellation);
        // What the storage's own library throws does not travel; what comes says that the call may be made again.
        await Assert.ThrowsAsync<OrleansException>(() => cluster.Orleans.GetGrain<IExperimentGrain>("new").Status());
        await storage.StartAsync();
        Assert.InRange((await Chaos.InsistAsync(() => cluster.Client.StatusAsync("e", Cancellation), Cancellation)).Ended, 8, 40);
        await ranking;
        await AssertEndAsync(cluster, spec, ranks);
    }

    [Fact]
    public async Task What_somebody_else_wrote_meanwhile_is_a_conflict_that_harms_nothing()
    {
        var spec = Specs.Small(20);
        // It goes on as long as there are conflicts to be had.
        var gate = new Gate(12);
        await using var cluster = await HostedCluster.StartAsync(new TestWorld { Engine = gate.Engine, RemindEvery = TimeSpan.FromMilliseconds(300) }, await SharedAsync(), "conflicts");
        using var conflicts = new Failures("conflict");
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 4 }, null, Cancellation);
        var ranks = Chaos.Ranks(spec, 6);
        var ranking = cluster.Client.RankAsync("e", ranks, Cancellation);
        var random = new Random(6);
        for (var i = 0; i < 40; i++)
        {
            await RewriteAsync(cluster, random.Next(5) switch
            {
                0 => (StoreNames.Main, "experiment", cluster.Orleans.GetGrain<IExperimentGrain>("e")),
                1 => (StoreNames.Main, "prompt-page-ends", cluster.Orleans.GetGrain<IPromptPageGrain>(Keys.Part("e", 0))),
                2 => (StoreNames.Traces, "correlation-shard", cluster.Orleans.GetGrain<ICorrelationShardGrain>(Keys.Part("e", 0))),
                3 => (StoreNames.Traces, "prompt-texts", cluster.Orleans.GetGrain<IPromptGrain>(Keys.Prompt("e", $"p{random.Next(1, 21)}"))),
                _ => (StoreNames.Main, "prompt", cluster.Orleans.GetGrain<IPromptGrain>(Keys.Prompt("e", $"p{random.Next(1, 21)}"))),
            });
            await Task.Delay(20, Cancellation);
        }
        gate.Open();
        await ranking;
        await AssertEndAsync(cluster, spec, ranks);
        Assert.True(conflicts.Count > 0, "no write met a conflict");
    }

    [Fact]
    public async Task Two_clusters_on_one_storage_keep_each_text_and_each_rank_once()
    {
        var storage = await SharedAsync();
        var spec = Specs.Small(10);
        var world = new TestWorld { InferenceSilos = 1, Engine = Slow(50), RemindEvery = TimeSpan.FromMilliseconds(300) };
        await using var one = await HostedCluster.StartAsync(world, storage, "split");
        await using var two = await HostedCluster.StartAsync(world, storage, "split");
        HostedCluster[] both = [one, two];
        var ranks = Chaos.Ranks(spec, 7);
        await Task.WhenAll(both.Select(cluster => Chaos.InsistAsync(
            () => cluster.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 3 }, null, Cancellation), Cancellation)));
        await Task.WhenAll(both.Select((cluster, i) => Chaos.InsistAsync(
            () => cluster.Client.RankAsync("e", i == 0 ? ranks : ranks.Reverse(), Cancellation), Cancellation)));
        await Task.WhenAny(both.Select(cluster => EndAsync(cluster)));
        await Task.WhenAll(both.Select(cluster => cluster.KillAsync()));
        await using var after = await HostedCluster.StartAsync(world, storage, "split");
        await after.Client.RankAsync("e", ranks, Cancellation);
        await AssertEndAsync(after, spec, ranks);
    }

    [Fact]
    public async Task Of_many_first_writes_one_stands_and_a_write_from_an_old_version_changes_nothing()
    {
        await using var cluster = await HostedCluster.StartAsync(StoresAlone, await SharedAsync(), "versions");
        foreach (var name in (string[])[StoreNames.Main, StoreNames.Traces])
        {
            var store = cluster.Store(name);
            for (var round = 0; round < 10; round++)
            {
                var grain = GrainId.Create("prompt", $"e/{round}");
                var writers = Enumerable.Range(0, 8).Select(i => State((byte)i)).ToArray();
                var written = await Task.WhenAll(writers.Select(w => TryWriteAsync(store, name, grain, w)));
                var first = Assert.Single(writers, w => written[Array.IndexOf(writers, w)]);
                Assert.Equal(first.State.Data, (await ReadAsync(store, name, grain)).State.Data);

                var (mine, other) = (await ReadAsync(store, name, grain), await ReadAsync(store, name, grain));
                mine.State.Data = [100];
                Assert.True(await TryWriteAsync(store, name, grain, mine));
                other.State.Data = [101];
                Assert.False(await TryWriteAsync(store, name, grain, other));
                mine.State.Data = [102];
                Assert.True(await TryWriteAsync(store, name, grain, mine));
                Assert.Equal([102], (await ReadAsync(store, name, grain)).State.Data);
            }
        }
    }

    [Fact]
    public async Task Membership_changes_from_the_version_that_was_read_or_not_at_all()
    {
        await using var cluster = await HostedCluster.StartAsync(new TestWorld { InferenceSilos = 0 }, await SharedAsync(), "members");
        var table = cluster.Service<IMembershipTable>();
        var read = await table.ReadAllAsync(Cancellation);
        Assert.Equal(2, read.Members.Count(m => m.Item1.Status == SiloStatus.Active));
        var gone = new MembershipEntry
        {
            SiloAddress = SiloAddress.New(IPAddress.Loopback, 7, 8),
            SiloName = "gone",
            HostName = "nowhere",
            Status = SiloStatus.Dead,
            // Not so long ago that the hosts clean it up themselves.
            StartTime = DateTime.UtcNow.AddHours(-2),
            IAmAliveTime = DateTime.UtcNow.AddHours(-1),
        };
        // The two hosts write here too, a suspicion under load: who comes second reads again, and only so often.
        Assert.True(await AfterReadingAsync(all => table.InsertRowAsync(gone, all.Version.Next(), Cancellation)));
        Assert.False(await table.InsertRowAsync(gone, read.Version.Next(), Cancellation));
        var after = await table.ReadAllAsync(Cancellation);
        Assert.True(after.Version.Version > read.Version.Version);
        Assert.False(await table.InsertRowAsync(gone, after.Version.Next(), Cancellation));

        var (entry, etag) = (await table.ReadRowAsync(gone.SiloAddress, Cancellation)).Members.Single();
        Assert.Equal((gone.SiloName, gone.HostName, gone.Status), (entry.SiloName, entry.HostName, entry.Status));
        Assert.Equal(gone.StartTime, entry.StartTime, TimeSpan.FromMilliseconds(1));
        entry.AddSuspector(SiloAddress.New(IPAddress.Loopback, 9, 9), DateTime.UtcNow);
        Assert.False(await table.UpdateRowAsync(entry, etag, read.Version.Next(), Cancellation));
        Assert.True(await AfterReadingAsync(all => table.UpdateRowAsync(entry, all.Members.Single(m => m.Item1.SiloAddress.Equals(gone.SiloAddress)).Item2, all.Version.Next(), Cancellation)));
        Assert.Single((await table.ReadRowAsync(gone.SiloAddress, Cancellation)).Members.Single().Item1.SuspectTimes!);

        await table.CleanupDefunctSiloEntriesAsync(DateTimeOffset.UtcNow.AddDays(1), Cancellation);
        var left = await table.ReadAllAsync(Cancellation);
        Assert.Equal(2, left.Members.Count);
        Assert.All(left.Members, m => Assert.Equal(SiloStatus.Active, m.Item1.Status));

        async Task<bool> AfterReadingAsync(Func<MembershipTableData, Task<bool>> write)
        {
            for (var attempt = 0; attempt < 5; attempt++)
                if (await write(await table.ReadAllAsync(Cancellation))) return true;
            return false;
        }
    }

    [Fact]
    public async Task Reminders_are_found_by_grain_and_by_arc_and_go_by_version()
    {
        await using var cluster = await HostedCluster.StartAsync(StoresAlone with { Orchestrators = 1 }, await SharedAsync(), "reminders");
        var table = cluster.Service<IReminderTable>();
        var grains = Enumerable.Range(0, 40).Select(i => GrainId.Create("nobody", $"{i}/_a%20b")).ToArray();
        foreach (var grain in grains)
            await table.UpsertRow(new ReminderEntry { GrainId = grain, ReminderName = "campaign", StartAt = DateTime.UtcNow.AddYears(1), Period = TimeSpan.FromHours(5) }, Cancellation);
        var hashes = grains.Select(g => g.GetUniformHashCode()).Order().ToArray();
        foreach (var (begin, end) in ((uint, uint)[])[(hashes[3], hashes[20]), (hashes[20], hashes[3]), (0, 0x7fffffff), (0x7fffffff, 0x80000001), (0x80000000, 0xffffffff), (hashes[5], hashes[5])])
        {
            var found = (await table.ReadRows(begin, end, Cancellation)).Reminders;
            var expected = grains.Where(g => begin < end ? g.GetUniformHashCode() > begin && g.GetUniformHashCode() <= end : g.GetUniformHashCode() > begin || g.GetUniformHashCode() <= end);
            Assert.Equal(expected.Order(), found.Select(r => r.GrainId).Order());
        }
        var first = Assert.Single((await table.ReadRows(grains[0], Cancellation)).Reminders);
        Assert.Equal(TimeSpan.FromHours(5), first.Period);
        var old = first.ETag;
        first.Period = TimeSpan.FromDays(40);
        var etag = await table.UpsertRow(first, Cancellation);
        Assert.False(await table.RemoveRow(grains[0], "campaign", old!, Cancellation));
        var changed = await table.ReadRow(grains[0], "campaign", Cancellation);
        Assert.Equal((TimeSpan.FromDays(40), etag), (changed!.Period, changed.ETag));
        Assert.True(await table.RemoveRow(grains[0], "campaign", etag!, Cancellation));
        Assert.Empty((await table.ReadRows(grains[0], Cancellation)).Reminders);
    }

    [Fact]
    public async Task State_of_every_size_up_to_the_limit_is_read_as_it_was_written()
    {
        await using var cluster = await HostedCluster.StartAsync(StoresAlone, await SharedAsync(), "sizes");
        // Four bytes more are written; some stores cut state into pieces of 64 KiB.
        foreach (var (name, bytes) in ((string, int)[])[(StoreNames.Main, 0), (StoreNames.Main, 65_532), (StoreNames.Main, 65_533), (StoreNames.Main, Limits.MaxStateBytes), (StoreNames.Traces, 0), (StoreNames.Traces, 12_000_000)])
        {
            var (store, grain, state) = (cluster.Store(name), GrainId.Create("prompt", $"size/{bytes}"), State(1));
            foreach (var length in (int[])[bytes, bytes / 2, bytes])
            {
                state.State.Data = RandomNumberGenerator.GetBytes(length);
                Assert.True(await TryWriteAsync(store, name, grain, state));
                var read = await ReadAsync(store, name, grain);
                Assert.Equal(state.State.Format, read.State.Format);
                Assert.True(state.State.Data.AsSpan().SequenceEqual(read.State.Data), $"{length} bytes came back as others");
            }
        }
    }

    [Fact]
    public async Task Ranks_that_would_not_fit_are_refused_before_anything_is_written()
    {
        var spec = Specs.Small(1);
        await using var cluster = await HostedCluster.StartAsync(new TestWorld { InferenceSilos = 1 }, await SharedAsync(), "full");
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions(), null, Cancellation);
        await EndAsync(cluster);
        // Names that nothing makes shorter.
        RankEvent[] Batch() => [.. Enumerable.Range(0, 4000).Select(_ => new RankEvent("p1", "t0.3-0", Convert.ToBase64String(RandomNumberGenerator.GetBytes(150)), null, 1))];
        RankEvent[] first = Batch(), second = Batch();
        await cluster.Client.RankAsync("e", first, Cancellation);
        var refused = await Assert.ThrowsAsync<SiloException>(() => cluster.Client.RankAsync("e", second, Cancellation));
        Assert.Contains($"over the limit of {Limits.MaxRankedBytes}", refused.Message, StringComparison.Ordinal);
        var kept = await cluster.Client.RanksAsync("e", "p1", Cancellation);
        Assert.Equal(first.Select(r => r.Rater), kept.Select(r => r.Rater));
        // And the prompt goes on as before.
        Assert.Equal(1, (await cluster.Client.RankAsync("e", [second[0]], Cancellation)).New);
    }

    /// <summary>Providers make keys of their own of grains' keys, each with its own way to mistake one for another.</summary>
    [Fact]
    public async Task No_two_grains_share_a_state_whatever_they_are_called()
    {
        await using var cluster = await HostedCluster.StartAsync(new TestWorld(), await SharedAsync(), "keys");
        string[] ids = ["b_c", "B_C", "c", "b/c", "b\\c", "b c", "b%c", "b#c?", "b+c", "b'c\"", "ü", "火の鳥", "🦊", ".", "..", "a&b=c", "\t", new('é', 60), new('x', 200), "000000", "null"];
        string[] experiments = ["a", "a_b", "a-b", "a.b", "abc", "1", "10", "0x", "a_b_c", new('f', 32), new('e', 16)];
        await Task.WhenAll(experiments.Select(experiment => cluster.Client.SubmitAsync(
            experiment, Named(experiment, ids), new SubmitOptions { Window = 32 }, null, Cancellation)));
        foreach (var experiment in experiments)
        {
            var end = await EndAsync(cluster, experiment);
            Assert.Equal((ids.Length, 3 * ids.Length), (end.Ended, end.Kept));
            Assert.Equal(await Specs.LocalDigestAsync(Named(experiment, ids), new ToyEngine()), end.Digest);
            // Late ranks set reminders, which have keys of their own, too.
            Assert.Equal(ids.Length, (await cluster.Client.RankAsync(experiment, ids.Select(id => new RankEvent(id, "t0.3-0", "ann", null, 1)), Cancellation)).New);
        }
        while ((await cluster.Service<IReminderTable>().ReadRows(0, uint.MaxValue, Cancellation)).Reminders.Count > 0) await Task.Delay(50, Cancellation);
    }

    // The seed makes the texts of one experiment others than the next one's.
    private static ExperimentSpec Named(string experiment, string[] ids) => Specs.Small(1, experiment) with
    {
        Seed = (ulong)experiment.Length * 1000 + experiment[0] + 31UL * experiment[^1],
        Prompts = [.. ids.Select(id => new Prompt(id, $"Tell of {id}"))],
        MaxTokens = 2,
        Traces = TraceKeeping.None,
    };

    private protected static Func<Silo.Experiments.Generation.IGenerationEngine> Slow(int milliseconds) => () => new ToyEngine { Before = (_, _, cancelled) => Task.Delay(milliseconds, cancelled) };

    private protected static async Task<CampaignStatusReply> EndAsync(HostedCluster cluster, string experiment = "e")
    {
        while (true)
        {
            // Another cluster may have ended it; then this one's grain has not seen it.
            var status = await Chaos.InsistAsync(() => cluster.Client.StatusAsync(experiment, Cancellation), Cancellation);
            if (status.Digest is not null) return status;
            await Task.Delay(100, Cancellation);
        }
    }

    private protected static async Task AssertEndAsync(HostedCluster cluster, ExperimentSpec spec, IReadOnlyCollection<RankEvent> ranks)
    {
        var end = await EndAsync(cluster);
        Assert.Equal(await Specs.LocalDigestAsync(spec, new ToyEngine()), end.Digest);
        Assert.Equal((spec.Prompts.Count, 3 * spec.Prompts.Count, 0), (end.Ended, end.Kept, end.Failed));
        await Recount.AssertRanksAsync(cluster.Client, "e", spec, ranks);
        await Recount.AssertBoardAsync(cluster.Orleans, "e", spec);
    }

    private static async Task RewriteAsync(HostedCluster cluster, (string Store, string State, IAddressable Grain) row)
    {
        var state = new Row();
        var store = cluster.Store(row.Store);
        await store.ReadStateAsync(row.State, row.Grain.GetGrainId(), state);
        if (!state.RecordExists) return;
        try
        {
            await store.WriteStateAsync(row.State, row.Grain.GetGrainId(), state);
        }
        catch (InconsistentStateException)
        {
            // The grain was faster.
        }
    }

    private static TestWorld StoresAlone => new() { Orchestrators = 0, InferenceSilos = 0 };

    // Stores may share a table: states are told apart by their names.
    private static string StateName(string store) => "any-" + store;

    private static Row State(byte content) => new() { State = new PackedState { Format = 1, Data = [content] } };

    private static async Task<Row> ReadAsync(IGrainStorage store, string name, GrainId grain)
    {
        var state = new Row();
        await store.ReadStateAsync(StateName(name), grain, state);
        Assert.True(state.RecordExists);
        return state;
    }

    private static async Task<bool> TryWriteAsync(IGrainStorage store, string name, GrainId grain, Row state)
    {
        try
        {
            await store.WriteStateAsync(StateName(name), grain, state);
            return true;
        }
        catch (InconsistentStateException)
        {
            return false;
        }
    }

    /// <summary>Engines that serve some requests, and the others when it is opened: where a campaign stands does not hang on time.</summary>
    private sealed class Row : IGrainState<PackedState>
    {
        [AllowNull]
        public PackedState State { get; set; } = new();

        public string? ETag { get; set; }

        public bool RecordExists { get; set; }
    }

    /// <summary>Counts what <c>silo.storage.failures</c> counts.</summary>
    private protected sealed class Failures : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count;

        public Failures(string operation)
        {
            _listener.InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "silo.storage.failures") self.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
            {
                foreach (var tag in tags)
                    if (tag is { Key: "operation", Value: string found } && found == operation) Interlocked.Add(ref _count, value);
            });
            _listener.Start();
        }

        public long Count => Interlocked.Read(ref _count);

        public void Dispose() => _listener.Dispose();
    }
}
