using System.Globalization;
using Microsoft.Data.Sqlite;
using Silo.Experiments.Campaign;
using Silo.Experiments.Generation;
using Silo.Experiments.Plan;

namespace Silo.Storage.Runs;

/// <summary>What the writer and the readers both ask of run.db.</summary>
internal static class RunQueries
{
    private const string RecordColumns = """
        SELECT g.number, g.engine, g.finish, g.feature_hash, t.tokens, t.text FROM generations g JOIN texts t ON t.number = g.number
        """;

    public static RunProgress Progress(SqliteConnection connection, ExperimentPlan plan)
    {
        var engines = Engines(connection);
        var progress = new RunProgress(plan.Prompts, plan.Rows);
        using (var command = RunConnection.Command(connection, "SELECT number, engine FROM generations"))
        using (var rows = command.ExecuteReader())
            while (rows.Read()) progress.SetKept(rows.GetInt64(0), engines[rows.GetInt64(1)]);
        using (var command = RunConnection.Command(connection, "SELECT number, attempt, reason FROM failures WHERE final = 1"))
        using (var rows = command.ExecuteReader())
            while (rows.Read()) progress.SetFailed(rows.GetInt64(0), new PromptRow(RowStatus.Failed, rows.GetInt32(1), rows.GetString(2)));
        return progress;
    }

    public static Dictionary<long, string> Engines(SqliteConnection connection)
    {
        var engines = new Dictionary<long, string>();
        using var command = RunConnection.Command(connection, "SELECT id, fingerprint FROM engines");
        using var rows = command.ExecuteReader();
        while (rows.Read()) engines.Add(rows.GetInt64(0), rows.GetString(1));
        return engines;
    }

    public static RunInfo Info(SqliteConnection connection, ExperimentPlan plan)
    {
        string? Meta(string key) => StoredSpec.Meta(connection, key);
        using var command = RunConnection.Command(connection,
            "SELECT count(*), coalesce(sum(tokens), 0), (SELECT count(DISTINCT number) FROM failures WHERE final = 1) FROM generations");
        using var row = command.ExecuteReader();
        row.Read();
        return new RunInfo
        {
            Created = Time(Meta("created")!),
            Version = Meta("version")!,
            Kept = row.GetInt64(0),
            Tokens = row.GetInt64(1),
            Failed = row.GetInt64(2),
            Engines = EnginesInUse(connection),
            Seconds = double.Parse(Meta("seconds") ?? "0", CultureInfo.InvariantCulture),
            Finished = Meta("finished") is { } finished ? Time(finished) : null,
            Digest = Meta("digest"),
            ReferenceTemperatures = [.. plan.Spec.ReferenceTemperatures.Concat(AddedReferenceTemperatures(connection)).Distinct()],
        };
    }

    public static RunDigest Digest(SqliteConnection connection, ExperimentPlan plan)
    {
        var engines = Engines(connection);
        var used = new HashSet<string>(StringComparer.Ordinal);
        using var command = RunConnection.Command(connection, RecordColumns + " ORDER BY g.number");
        using var rows = command.ExecuteReader();
        return RunDigest.OfRun(Prompts(rows), used);

        IEnumerable<byte[]> Prompts(SqliteDataReader rows)
        {
            var more = rows.Read();
            var parts = new List<RunDigest.Part>(plan.Rows);
            for (var prompt = 0; prompt < plan.Prompts; prompt++)
            {
                parts.Clear();
                for (var row = 0; row < plan.Rows; row++)
                    if (more && rows.GetInt64(0) == plan.Number(prompt, row))
                    {
                        used.Add(engines[rows.GetInt64(1)]);
                        parts.Add(new RunDigest.Part(plan.Key(prompt, row), MeasureBytes.Ints(Blob(rows, 4)), Blob(rows, 3)));
                        more = rows.Read();
                    }
                    else parts.Add(new RunDigest.Part(plan.Key(prompt, row), default, null));
                yield return RunDigest.OfPrompt(parts);
            }
        }
    }

    public static IEnumerable<GenerationRecord> Records(
        SqliteConnection connection, ExperimentPlan plan, IReadOnlyList<string> measures, long first, long end, bool traces)
    {
        var engines = Engines(connection);
        var columns = new MeasureColumns(connection, measures);
        using var command = RunConnection.Command(connection,
            RecordColumns + " WHERE g.number >= $first AND g.number < $end ORDER BY g.number", ("$first", first), ("$end", end));
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            var number = rows.GetInt64(0);
            yield return new GenerationRecord
            {
                Key = plan.Key(number),
                Engine = engines[rows.GetInt64(1)],
                Finish = (FinishReason)rows.GetInt32(2),
                FeatureHash = Blob(rows, 3),
                Tokens = MeasureBytes.Ints(Blob(rows, 4)),
                Text = rows.GetString(5),
                Measures = columns.Of(number),
                Trace = traces ? Trace(connection, number) : [],
            };
        }
    }

    public static byte[] Trace(SqliteConnection connection, long number) =>
        (byte[]?)RunConnection.Scalar(connection, "SELECT data FROM traces WHERE number = $number", ("$number", number)) ?? [];

    public static IReadOnlyList<StoredRank> Ranks(SqliteConnection connection, long after)
    {
        var ranks = new List<StoredRank>();
        using var command = RunConnection.Command(connection,
            """
            SELECT * FROM (
                SELECT id, row_number() OVER (PARTITION BY prompt, item, rater ORDER BY id) - 1, prompt, item, rater, panel, rank, source, came
                FROM ranks)
            WHERE id > $after ORDER BY id
            """, ("$after", after));
        using var rows = command.ExecuteReader();
        while (rows.Read())
            ranks.Add(new StoredRank(rows.GetInt64(0), rows.GetInt64(1), rows.GetString(2), rows.GetString(3), rows.GetString(4),
                rows.IsDBNull(5) ? null : rows.GetString(5), rows.IsDBNull(6) ? null : rows.GetDouble(6), rows.GetString(7), Time(rows.GetString(8))));
        return ranks;
    }

    public static string Time(DateTimeOffset time) => time.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture);

    public static DateTimeOffset Time(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);

    public static double[] AddedReferenceTemperatures(SqliteConnection connection) =>
        MeasureBytes.Numbers(StoredSpec.Meta(connection, "added_reference_temperatures") ?? "[]");

    private static string[] EnginesInUse(SqliteConnection connection)
    {
        var engines = new List<string>();
        using var command = RunConnection.Command(connection, "SELECT fingerprint FROM engines WHERE id IN (SELECT DISTINCT engine FROM generations)");
        using var rows = command.ExecuteReader();
        while (rows.Read()) engines.Add(rows.GetString(0));
        return [.. engines.Order(StringComparer.Ordinal)];
    }

    private static byte[] Blob(SqliteDataReader rows, int column) => (byte[])rows.GetValue(column);
}
