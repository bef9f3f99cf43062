using System.Globalization;
using Microsoft.Data.Sqlite;
using Silo.Experiments.Campaign;
using Silo.Experiments.Generation;
using Silo.Experiments.Plan;

namespace Silo.Storage.Runs;

/// <summary>What is written together, in one transaction of <see cref="RunStore.Write"/>.</summary>
public sealed class RunBatch
{
    private readonly SqliteConnection _connection;
    private readonly ExperimentPlan _plan;
    private readonly string _now;

    internal RunBatch(SqliteConnection connection, ExperimentPlan plan, DateTimeOffset now)
    {
        _connection = connection;
        _plan = plan;
        _now = RunQueries.Time(now);
    }

    /// <summary>Keeps a text with all that belongs to it.</summary>
    /// <param name="prompt">0-based number of the prompt.</param>
    /// <param name="row">0-based row of the prompt.</param>
    /// <param name="record">The text.</param>
    /// <param name="measures">Names of its measures, in the order of their values.</param>
    public void Keep(int prompt, int row, GenerationRecord record, IReadOnlyList<string> measures)
    {
        var number = _plan.Number(prompt, row);
        Execute("INSERT OR IGNORE INTO engines (fingerprint) VALUES ($engine)", ("$engine", record.Engine));
        Execute("INSERT INTO generations SELECT $number, id, $finish, $tokens, $hash, $now FROM engines WHERE fingerprint = $engine",
            ("$number", number), ("$finish", (int)record.Finish), ("$tokens", record.Tokens.Length), ("$hash", record.FeatureHash),
            ("$now", _now), ("$engine", record.Engine));
        Execute("INSERT INTO texts VALUES ($number, $tokens, $text)",
            ("$number", number), ("$tokens", MeasureBytes.Of(record.Tokens)), ("$text", record.Text));
        AddMeasures(number, measures, record.Measures);
        if (record.Trace.Length > 0)
            Execute("INSERT INTO traces VALUES ($number, $data)", ("$number", number), ("$data", record.Trace));
    }

    /// <summary>Adds measures to a kept text, or replaces those of the same names.</summary>
    /// <param name="key">The text's key.</param>
    /// <param name="names">The measures' names.</param>
    /// <param name="values">Their values; NaN where undefined.</param>
    public void AddMeasures(GenerationKey key, IReadOnlyList<string> names, double[] values) =>
        AddMeasures(_plan.Number(_plan.PromptIndex(key.Prompt), _plan.Row(key)), names, values);

    /// <summary>Notes that measures exist for a further reference temperature.</summary>
    public void AddReferenceTemperature(double temperature)
    {
        var added = RunQueries.AddedReferenceTemperatures(_connection);
        if (!added.Contains(temperature))
            StoredSpec.SetMeta(_connection, "added_reference_temperatures", MeasureBytes.Numbers([.. added, temperature]));
    }

    /// <summary>Deletes the texts of a prompt because their engine is gone, and notes that.</summary>
    public void Discard(int prompt, string engine)
    {
        var (first, end) = (_plan.Number(prompt, 0), _plan.Number(prompt + 1, 0));
        var texts = RunConnection.Scalar(_connection, "SELECT count(*) FROM generations WHERE number >= $first AND number < $end",
            ("$first", first), ("$end", end));
        Execute("""
            DELETE FROM generations WHERE number >= $first AND number < $end;
            DELETE FROM texts WHERE number >= $first AND number < $end;
            DELETE FROM measures WHERE number >= $first AND number < $end;
            DELETE FROM traces WHERE number >= $first AND number < $end;
            UPDATE failures SET final = 0 WHERE number >= $first AND number < $end;
            INSERT INTO discards (prompt, engine, texts, happened) VALUES ($prompt, $engine, $texts, $now);
            """, ("$first", first), ("$end", end), ("$prompt", prompt), ("$engine", engine), ("$texts", texts), ("$now", _now));
    }

    /// <summary>Notes a failed attempt at a text.</summary>
    public void Fail(int prompt, PromptCommand.Fail failure) =>
        Execute("INSERT INTO failures (number, attempt, reason, final, happened) VALUES ($number, $attempt, $reason, $final, $now)",
            ("$number", _plan.Number(prompt, failure.Row)), ("$attempt", failure.Attempt), ("$reason", failure.Reason),
            ("$final", failure.Final ? 1 : 0), ("$now", _now));

    /// <summary>Opens all failed texts again; their failures stay listed.</summary>
    public void RetryFailed() => Execute("UPDATE failures SET final = 0; DELETE FROM meta WHERE key IN ('finished', 'digest');");

    /// <summary>Adds a rank, unless it says what that rater's last one of this text says. Returns whether it was new.</summary>
    /// <param name="rank">The rank, or a withdrawal.</param>
    /// <param name="source">Where it came from.</param>
    /// <param name="again">Whether it counts once more where the same source said the same before its last one.</param>
    public bool Rank(NewRank rank, string source, bool again = true)
    {
        using (var last = RunConnection.Command(_connection,
            "SELECT rank, panel FROM ranks WHERE prompt = $prompt AND item = $item AND rater = $rater ORDER BY id DESC LIMIT 1",
            ("$prompt", rank.Prompt), ("$item", rank.Item), ("$rater", rank.Rater)))
        using (var rows = last.ExecuteReader())
        {
            var known = rows.Read();
            double? before = known && !rows.IsDBNull(0) ? rows.GetDouble(0) : null;
            var panel = known && !rows.IsDBNull(1) ? rows.GetString(1) : null;
            if (before == rank.Rank && (rank.Rank is null || panel == rank.Panel)) return false;
        }
        if (!again)
        {
            using var said = RunConnection.Command(_connection,
                "SELECT 1 FROM ranks WHERE prompt = $prompt AND item = $item AND rater = $rater AND rank IS $rank AND panel IS $panel AND source = $source",
                ("$prompt", rank.Prompt), ("$item", rank.Item), ("$rater", rank.Rater), ("$rank", rank.Rank), ("$panel", rank.Panel), ("$source", source));
            if (said.ExecuteScalar() is not null) return false;
        }
        Execute("INSERT INTO ranks (prompt, item, rater, panel, rank, source, came) VALUES ($prompt, $item, $rater, $panel, $rank, $source, $now)",
            ("$prompt", rank.Prompt), ("$item", rank.Item), ("$rater", rank.Rater), ("$panel", rank.Panel), ("$rank", rank.Rank),
            ("$source", source), ("$now", _now));
        return true;
    }

    /// <summary>Adds to the time spent generating.</summary>
    public void AddSeconds(double seconds) => StoredSpec.SetMeta(_connection, "seconds",
        (double.Parse(StoredSpec.Meta(_connection, "seconds") ?? "0", CultureInfo.InvariantCulture) + seconds).ToString("R", CultureInfo.InvariantCulture));

    /// <summary>Notes something about the model's file, see <see cref="RunStore.ModelStamp"/>.</summary>
    public void SetModelStamp(string stamp) => StoredSpec.SetMeta(_connection, "model_stamp", stamp);

    /// <summary>Keeps the table of the finished run, see <see cref="RunReader.BoardJson"/>.</summary>
    public void SetBoardJson(string json) => StoredSpec.SetMeta(_connection, "board", json);

    /// <summary>Marks the run finished, with its digest.</summary>
    public void Finish(RunDigest digest)
    {
        StoredSpec.SetMeta(_connection, "digest", digest.Hex);
        StoredSpec.SetMeta(_connection, "finished", _now);
    }

    private void AddMeasures(long number, IReadOnlyList<string> names, double[] values)
    {
        if (names.Count != values.Length) throw new ArgumentException($"{names.Count} names for {values.Length} measures", nameof(values));
        var catalog = MeasureBytes.Names(names);
        Execute("INSERT OR IGNORE INTO catalogs (names) VALUES ($names)", ("$names", catalog));
        Execute("""
            INSERT INTO measures (number, catalog, data) SELECT $number, id, $data FROM catalogs WHERE names = $names
            ON CONFLICT (number, catalog) DO UPDATE SET data = $data
            """, ("$number", number), ("$data", MeasureBytes.Of(values)), ("$names", catalog));
    }

    private void Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        RunConnection.Execute(_connection, sql, parameters);
}
