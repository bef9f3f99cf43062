using Microsoft.Data.Sqlite;
using Silo.Core;
using Silo.Experiments.Campaign;
using Silo.Experiments.Generation;
using Silo.Experiments.Plan;
using Silo.Experiments.Spec;

namespace Silo.Storage.Runs;

/// <summary>
/// Reads a run as it was when this was opened, whether or not a process is writing to it. Not safe for several threads
/// at once; open several.
/// </summary>
public sealed class RunReader : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SqliteTransaction _snapshot;

    private RunReader(RunDirectory directory, SqliteConnection connection)
    {
        Directory = directory;
        _connection = connection;
        _snapshot = connection.BeginTransaction(deferred: true);
        StoredSpec.CheckFormat(connection, directory);
        Plan = new ExperimentPlan(StoredSpec.Read(connection, directory));
    }

    /// <summary>The directory.</summary>
    public RunDirectory Directory { get; }

    /// <summary>The plan.</summary>
    public ExperimentPlan Plan { get; }

    /// <summary>The spec, with its prompts.</summary>
    public ExperimentSpec Spec => Plan.Spec;

    /// <summary>Opens a run directory.</summary>
    /// <exception cref="SiloException">No run is there, or it cannot be read.</exception>
    public static RunReader Open(string path)
    {
        var directory = new RunDirectory(path);
        var connection = RunConnection.OpenReader(directory);
        try
        {
            return new RunReader(directory, connection);
        }
        catch (Exception e)
        {
            connection.Dispose();
            if (RunConnection.Explain(directory, e) is { } explained) throw explained;
            throw;
        }
    }

    /// <summary>The identity of the stored spec.</summary>
    public SpecIdentity Identity() => Guard(() => StoredSpec.ReadIdentity(_connection));

    /// <summary>What the run says of itself.</summary>
    public RunInfo Info() => Guard(() => RunQueries.Info(_connection, Plan));

    /// <summary>The table of the finished run as JSON, as it was last computed, or null.</summary>
    public string? BoardJson() => Guard(() => StoredSpec.Meta(_connection, "board"));

    /// <summary>Names of all measures that are stored, each once, in the order they were first stored.</summary>
    public IReadOnlyList<string> MeasureNames() => Guard(() =>
        MeasureColumns.Catalogs(_connection).SelectMany(c => c.Names).Distinct(StringComparer.Ordinal).ToArray());

    /// <summary>All kept texts in plan order, read as they are enumerated.</summary>
    /// <param name="measures">The measures wanted, in this order; NaN where one is not stored.</param>
    /// <param name="traces">Whether to read the packed traces, too.</param>
    public IEnumerable<GenerationRecord> Records(IReadOnlyList<string> measures, bool traces = false)
    {
        // Read one by one, and each under the guard: damage in the middle of the file is said like any other.
        using var records = RunQueries.Records(_connection, Plan, measures, 0, Plan.Count, traces).GetEnumerator();
        while (Guard(records.MoveNext)) yield return records.Current;
    }

    /// <summary>The kept texts of one prompt in plan order.</summary>
    /// <param name="prompt">0-based number of the prompt.</param>
    /// <param name="measures">The measures wanted, in this order; NaN where one is not stored.</param>
    /// <param name="traces">Whether to read the packed traces, too.</param>
    public IReadOnlyList<GenerationRecord> RecordsOf(int prompt, IReadOnlyList<string> measures, bool traces = false) => Guard(() =>
        RunQueries.Records(_connection, Plan, measures, Plan.Number(prompt, 0), Plan.Number(prompt + 1, 0), traces).ToArray());

    /// <summary>The token trace of a text, or null where none is kept.</summary>
    /// <exception cref="SiloException">The stored bytes are damaged.</exception>
    public TokenTrace? Trace(GenerationKey key) => Guard(() =>
    {
        var (prompt, row) = (Plan.PromptIndex(key.Prompt), Plan.Row(key));
        if (prompt < 0 || row < 0) return null;
        try
        {
            return RunQueries.Trace(_connection, Plan.Number(prompt, row)) is { Length: > 0 } packed ? PackedTrace.Unpack(packed) : null;
        }
        catch (InvalidDataException e)
        {
            throw new SiloException($"{Directory.Database}: the trace of {key} is damaged", e);
        }
    });

    /// <summary>Ranks in the order they came.</summary>
    /// <param name="after">Only those after this number; 0 for all.</param>
    public IReadOnlyList<StoredRank> Ranks(long after = 0) => Guard(() => RunQueries.Ranks(_connection, after));

    /// <summary>All failed attempts in the order they happened, also of texts that succeeded later.</summary>
    public IReadOnlyList<StoredFailure> Failures() => Guard(() =>
    {
        var failures = new List<StoredFailure>();
        using var command = RunConnection.Command(_connection, "SELECT number, attempt, reason, final, happened FROM failures ORDER BY id");
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            var key = Plan.Key(rows.GetInt64(0));
            failures.Add(new StoredFailure(key.Prompt, key.Item, rows.GetInt32(1), rows.GetString(2), rows.GetBoolean(3), RunQueries.Time(rows.GetString(4))));
        }
        return failures;
    });

    /// <summary>Prompts that were made anew because their engine was gone, in the order that happened.</summary>
    public IReadOnlyList<StoredDiscard> Discards() => Guard(() =>
    {
        var discards = new List<StoredDiscard>();
        using var command = RunConnection.Command(_connection, "SELECT prompt, engine, texts, happened FROM discards ORDER BY id");
        using var rows = command.ExecuteReader();
        while (rows.Read())
            discards.Add(new StoredDiscard(Spec.Prompts[rows.GetInt32(0)].Id, rows.GetString(1), rows.GetInt32(2), RunQueries.Time(rows.GetString(3))));
        return discards;
    });

    /// <summary>The digest of what is kept.</summary>
    public RunDigest Digest() => Guard(() => RunQueries.Digest(_connection, Plan));

    /// <inheritdoc/>
    public void Dispose()
    {
        _snapshot.Dispose();
        _connection.Dispose();
    }

    private T Guard<T>(Func<T> read) => RunConnection.Guard(Directory, read);
}
