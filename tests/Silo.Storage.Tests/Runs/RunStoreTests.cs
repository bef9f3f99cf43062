using Microsoft.Data.Sqlite;
using Silo.Core;
using Silo.Experiments.Campaign;
using Silo.Experiments.Spec;
using Silo.Storage.Runs;

namespace Silo.Storage.Tests.Runs;

public sealed class RunStoreTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Run => _folder["run"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Damage_in_the_middle_of_the_database_is_one_line_that_names_it()
    {
        using (var store = Sample.Open(Run, Sample.Spec(prompts: 400)))
            for (var prompt = 0; prompt < 400; prompt++) Sample.KeepAll(store, prompt);
        var database = Path.Combine(Run, "run.db");
        SqliteConnection.ClearAllPools();
        using (var file = File.OpenWrite(database))
        {
            file.Position = file.Length / 3;
            file.Write(Enumerable.Repeat((byte)0xA5, (int)(file.Length / 3)).ToArray());
        }
        var error = Assert.Throws<SiloException>(() =>
        {
            using var reader = RunReader.Open(Run);
            foreach (var _ in reader.Records(Sample.Measures, traces: true)) { }
        });
        Assert.Contains(Run, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("UPDATE meta SET value = '2026-11-26T03:59:3?' WHERE key = 'created'")]
    [InlineData("UPDATE catalogs SET names = '[\"a\"x]'")]
    [InlineData("UPDATE catalogs SET id = id + 1")]
    [InlineData("UPDATE texts SET tokens = 'text'")]
    [InlineData("UPDATE measures SET data = x'00'")]
    public void Damage_that_is_sound_to_SQLite_is_one_line_that_names_it(string damage)
    {
        using (var store = Sample.Open(Run)) Sample.KeepAll(store, 0);
        SqliteConnection.ClearAllPools();
        using (var connection = new SqliteConnection($"Data Source={Path.Combine(Run, "run.db")};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The statements above.
            command.CommandText = damage;
#pragma warning restore CA2100
            Assert.NotEqual(0, command.ExecuteNonQuery());
        }
        var error = Assert.Throws<SiloException>(() =>
        {
            using var reader = RunReader.Open(Run);
            reader.Info();
            foreach (var _ in reader.Records(Sample.Measures)) { }
        });
        Assert.Contains("run.db: is damaged (", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("")]
    [InlineData("a\0b")]
    [InlineData("line\r\nline\u2028 \U0001F600 \uFFFD ' \" ; DROP TABLE texts; --")]
    public void What_is_kept_is_read_back_to_the_last_bit(string text)
    {
        using (var store = Sample.Open(Run))
        {
            Assert.True(store.IsNew);
            store.Write(batch => batch.Keep(1, 2, Sample.Record(store.Plan.Key(1, 2), text), Sample.Measures));
        }
        using var reader = RunReader.Open(Run);
        var expected = Sample.Record(reader.Plan.Key(1, 2), text);
        var record = Assert.Single(reader.Records(Sample.Measures, traces: true));
        Assert.Equal(expected.Key, record.Key);
        Assert.Equal(expected.Text, record.Text);
        Assert.Equal(expected.Tokens, record.Tokens);
        Assert.Equal(expected.Finish, record.Finish);
        Assert.Equal(expected.Engine, record.Engine);
        Assert.Equal(expected.FeatureHash, record.FeatureHash);
        Assert.Equal(expected.Measures, record.Measures);
        Assert.Equal(expected.Trace, record.Trace);
    }

    [Fact]
    public void The_spec_comes_back_with_its_prompts_and_identity()
    {
        var spec = Sample.Spec() with { PrimaryMeasures = ["leak.mean"], Gold = new GoldSources { Ranks = ["r.csv"] }, Seed = ulong.MaxValue };
        Sample.Open(Run, spec).Dispose();
        using var reader = RunReader.Open(Run);
        Assert.Equal(SpecIdentity.Of(spec), SpecIdentity.Of(reader.Spec));
        Assert.Equal(SpecIdentity.Of(spec), reader.Identity());
        Assert.Equal(spec.Prompts, reader.Spec.Prompts);
    }

    [Fact]
    public void A_changed_spec_is_refused_with_the_difference()
    {
        Sample.Open(Run).Dispose();
        var error = Assert.Throws<SiloException>(() => Sample.Open(Run, Sample.Spec() with { MaxTokens = 100, Temperatures = [0.3, 1] }));
        Assert.Contains("temperatures: [0.3,1.5] -> [0.3,1]", error.Message, StringComparison.Ordinal);
        Assert.Contains("max_tokens: 200 -> 100", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_fresh_run_begins_anew_and_leaves_foreign_files_alone()
    {
        using (var store = Sample.Open(Run)) Sample.KeepAll(store, 0);
        File.WriteAllText(Path.Combine(Run, "notes.txt"), "mine");
        using (var store = Sample.Open(Run, Sample.Spec() with { MaxTokens = 5 }, fresh: true))
        {
            Assert.True(store.IsNew);
            Assert.Equal(0, store.Progress().Kept);
        }
        Assert.Equal("mine", File.ReadAllText(Path.Combine(Run, "notes.txt")));
    }

    [Fact]
    public void A_second_writer_is_refused_and_the_first_goes_on()
    {
        using var store = Sample.Open(Run);
        var error = Assert.Throws<SiloException>(() => Sample.Open(Run));
        Assert.Equal($"{Run}: another process is writing to this run", error.Message);
        Assert.Throws<SiloException>(() => RunStore.OpenExisting(Run, TimeProvider.System));
        Sample.KeepAll(store, 0);
        Assert.Equal(4, store.Progress().Kept);
    }

    [Fact]
    public void A_lock_file_without_a_process_means_nothing()
    {
        Directory.CreateDirectory(Run);
        File.WriteAllText(new RunDirectory(Run).Lock, "12345");
        Sample.Open(Run).Dispose();
    }

    [Fact]
    public void A_write_that_fails_leaves_nothing_of_itself()
    {
        using var store = Sample.Open(Run);
        Assert.Throws<InvalidOperationException>(() => store.Write(batch =>
        {
            batch.Keep(0, 0, Sample.Record(store.Plan.Key(0, 0)), Sample.Measures);
            throw new InvalidOperationException();
        }));
        Assert.Equal(0, store.Progress().Kept);
        Sample.KeepAll(store, 0);
        Assert.Equal(4, store.Progress().Kept);
    }

    [Fact]
    public void Readers_see_the_run_as_it_was_when_they_opened()
    {
        using var store = Sample.Open(Run);
        Sample.KeepAll(store, 0);
        using var before = RunReader.Open(Run);
        Sample.KeepAll(store, 1);
        using var after = RunReader.Open(Run);
        Assert.Equal(4, before.Info().Kept);
        Assert.Equal(8, after.Info().Kept);
    }

    [Fact]
    public void Progress_gives_each_prompt_the_state_to_go_on_from()
    {
        using (var store = Sample.Open(Run))
            store.Write(batch =>
            {
                batch.Keep(1, 0, Sample.Record(store.Plan.Key(1, 0)), Sample.Measures);
                batch.Fail(1, new PromptCommand.Fail(1, 1, "first", Final: false));
                batch.Fail(1, new PromptCommand.Fail(2, 3, "third", Final: true));
            });
        using var reopened = Sample.Open(Run);
        Assert.False(reopened.IsNew);
        var state = reopened.Progress().StateOf(1);
        Assert.Equal([RowStatus.Kept, RowStatus.Open, RowStatus.Failed, RowStatus.Open], state.Rows.Select(r => r.Status));
        Assert.Equal("third", state.Rows[2].Reason);
        Assert.Equal(Sample.Engine, state.Engine);
        Assert.Null(reopened.Progress().StateOf(0).Engine);

        reopened.Write(batch => batch.RetryFailed());
        Assert.Equal(RowStatus.Open, reopened.Progress().StateOf(1).Rows[2].Status);
        using var reader = RunReader.Open(Run);
        Assert.Equal(["first", "third"], reader.Failures().Select(f => f.Reason));
    }

    [Fact]
    public void Texts_of_an_engine_that_is_gone_are_deleted_and_that_is_told()
    {
        using var store = Sample.Open(Run);
        Sample.KeepAll(store, 0);
        Sample.KeepAll(store, 1);
        store.Write(batch => batch.Discard(1, Sample.Engine));
        store.Write(batch => batch.Keep(1, 0, Sample.Record(store.Plan.Key(1, 0), engine: "other"), Sample.Measures));
        using var reader = RunReader.Open(Run);
        Assert.Equal(5, reader.Info().Kept);
        Assert.Equal(["other", Sample.Engine], reader.Info().Engines);
        var discard = Assert.Single(reader.Discards());
        Assert.Equal(("p1", Sample.Engine, 4), (discard.Prompt, discard.Engine, discard.Texts));
    }

    [Fact]
    public void Ranks_are_kept_once_and_corrections_and_withdrawals_come_after_them()
    {
        using var store = Sample.Open(Run);
        bool[] added = [];
        store.Write(batch => added =
        [
            batch.Rank(new NewRank("p0", "t0.3-0", "ann", null, 1), "r.csv"),
            batch.Rank(new NewRank("p0", "t0.3-0", "ann", null, 1), "r.csv"),
            batch.Rank(new NewRank("p0", "t0.3-0", "ben", "judges", 1.5), "r.csv"),
            batch.Rank(new NewRank("p0", "t0.3-0", "ann", null, 2), "r2.csv"),
            batch.Rank(new NewRank("p0", "t0.3-0", "ann", null, null), "r3.csv"),
            batch.Rank(new NewRank("p0", "t0.3-0", "ann", null, null), "r3.csv"),
            batch.Rank(new NewRank("p0", "t0.3-0", "ann", null, 1), "r.csv"),
        ]);
        Assert.Equal([true, false, true, true, true, false, true], added);
        using var reader = RunReader.Open(Run);
        Assert.Equal([1, 1.5, 2, null, 1], reader.Ranks().Select(r => r.Rank));
        Assert.Equal([1L, 2, 3, 4, 5], reader.Ranks().Select(r => r.Number));
        Assert.Equal([0L, 0, 1, 2, 3], reader.Ranks().Select(r => r.Revision));
        Assert.Equal("judges", reader.Ranks()[1].Panel);
        Assert.Equal(2, reader.Ranks(after: 3).Count);
    }

    [Fact]
    public void Measures_added_later_stand_beside_the_first_ones()
    {
        using var store = Sample.Open(Run);
        Sample.KeepAll(store, 0);
        store.Write(batch =>
        {
            batch.AddReferenceTemperature(0.7);
            batch.AddMeasures(store.Plan.Key(0, 1), ["leak@0.7.mean"], [42]);
            batch.AddMeasures(store.Plan.Key(0, 1), ["leak@0.7.mean"], [43]);
        });
        using var reader = RunReader.Open(Run);
        Assert.Equal([.. Sample.Measures, "leak@0.7.mean"], reader.MeasureNames());
        Assert.Equal([1.5, 0.7], reader.Info().ReferenceTemperatures);
        var records = reader.RecordsOf(0, ["leak@0.7.mean", "nowhere", "leak.mean"]);
        Assert.Equal([43, double.NaN, 0.3], records[1].Measures);
        Assert.Equal([double.NaN, double.NaN, 0.3], records[0].Measures);
    }

    [Fact]
    public void The_digest_does_not_depend_on_the_order_of_keeping_and_counts_what_failed()
    {
        string Digest(string run, params int[] prompts)
        {
            using var store = Sample.Open(_folder[run]);
            foreach (var prompt in prompts) Sample.KeepAll(store, prompt);
            return store.Digest().Hex;
        }
        var all = Digest("a", 0, 1, 2, 3);
        Assert.Equal(all, Digest("b", 3, 1, 0, 2));
        Assert.NotEqual(all, Digest("c", 0, 1, 2));
        using var reader = RunReader.Open(_folder["a"]);
        Assert.Equal(all, reader.Digest().Hex);
        Assert.Equal([Sample.Engine], reader.Digest().Engines);
    }

    [Fact]
    public void What_is_no_run_is_refused_in_one_line()
    {
        Directory.CreateDirectory(Run);
        Assert.Equal($"{Run}: no run is here (run.db is missing)", Assert.Throws<SiloException>(() => RunReader.Open(Run)).Message);
        File.WriteAllText(Path.Combine(Run, "run.db"), "this is some text that is no database at all, and long enough to be looked at as one");
        Assert.Contains("no database of a Silo run", Assert.Throws<SiloException>(() => RunReader.Open(Run)).Message, StringComparison.Ordinal);
        Assert.Contains("no database of a Silo run", Assert.Throws<SiloException>(() => Sample.Open(Run)).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["file"], "");
        Assert.Contains("cannot be made", Assert.Throws<SiloException>(() => Sample.Open(_folder["file"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_of_a_later_format_is_refused()
    {
        Sample.Open(Run).Dispose();
        using (var connection = new SqliteConnection($"Data Source={new RunDirectory(Run).Database};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE meta SET value = '2' WHERE key = 'format'";
            command.ExecuteNonQuery();
        }
        Assert.Contains("format 2 is not known", Assert.Throws<SiloException>(() => Sample.Open(Run)).Message, StringComparison.Ordinal);
        Assert.Contains("format 2 is not known", Assert.Throws<SiloException>(() => RunReader.Open(Run)).Message, StringComparison.Ordinal);
    }
}
