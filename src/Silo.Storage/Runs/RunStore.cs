using System.Globalization;
using Microsoft.Data.Sqlite;
using Silo.Core;
using Silo.Experiments.Campaign;
using Silo.Experiments.Plan;
using Silo.Experiments.Spec;

namespace Silo.Storage.Runs;

/// <summary>
/// The one writer of a run directory. What <see cref="Write"/> has returned from survives any end of the process. Not
/// safe for several threads at once.
/// </summary>
public sealed class RunStore : IDisposable
{
    private readonly RunLock _lock;
    private readonly SqliteConnection _connection;
    private readonly TimeProvider _time;

    private RunStore(RunDirectory directory, RunLock held, SqliteConnection connection, ExperimentSpec spec, TimeProvider time, bool isNew)
    {
        Directory = directory;
        _lock = held;
        _connection = connection;
        _time = time;
        Plan = new ExperimentPlan(spec);
        IsNew = isNew;
    }

    /// <summary>The directory.</summary>
    public RunDirectory Directory { get; }

    /// <summary>The plan of the stored spec.</summary>
    public ExperimentPlan Plan { get; }

    /// <summary>Whether the run was begun by this opening.</summary>
    public bool IsNew { get; }

    /// <summary>Begins a run in a directory, or opens the one that is there if it is of the same spec.</summary>
    /// <param name="path">The run directory; made if it is not there.</param>
    /// <param name="spec">The spec, its prompts read.</param>
    /// <param name="version">Silo's version, kept with a run that is begun.</param>
    /// <param name="fresh">Delete the run that is there first.</param>
    /// <param name="time">The clock of all times that are kept.</param>
    /// <exception cref="SiloException">The run there is of another spec, another process writes to it, or the directory is of no use.</exception>
    public static RunStore Open(string path, ExperimentSpec spec, string version, bool fresh, TimeProvider time)
    {
        var identity = SpecIdentity.Of(spec);
        return Open(new RunDirectory(path), fresh, (directory, held, connection) =>
        {
            if (!StoredSpec.HasTables(connection))
            {
                using var transaction = connection.BeginTransaction();
                RunConnection.Execute(connection, RunSchema.Create);
                StoredSpec.SetMeta(connection, "format", RunSchema.Format.ToString(CultureInfo.InvariantCulture));
                StoredSpec.SetMeta(connection, "created", RunQueries.Time(time.GetUtcNow()));
                StoredSpec.SetMeta(connection, "version", version);
                StoredSpec.Write(connection, spec, identity);
                transaction.Commit();
                return new RunStore(directory, held, connection, spec, time, isNew: true);
            }
            StoredSpec.CheckFormat(connection, directory);
            var stored = StoredSpec.ReadIdentity(connection);
            if (stored.Hash != identity.Hash)
                throw new SiloException($"{path}: holds another experiment ({string.Join("; ", stored.DifferencesTo(identity))}): --fresh begins anew, --out takes another directory");
            return new RunStore(directory, held, connection, spec, time, isNew: false);
        });
    }

    /// <summary>Opens the run that is in a directory, to add ranks or measures.</summary>
    /// <exception cref="SiloException">There is none, another process writes to it, or it cannot be written to.</exception>
    public static RunStore OpenExisting(string path, TimeProvider time)
    {
        var directory = new RunDirectory(path);
        if (!directory.HoldsRun) throw new SiloException($"{path}: no run is here (run.db is missing)");
        return Open(directory, fresh: false, (_, held, connection) =>
        {
            StoredSpec.CheckFormat(connection, directory);
            return new RunStore(directory, held, connection, StoredSpec.Read(connection, directory), time, isNew: false);
        });
    }

    /// <summary>What the run says of itself.</summary>
    public RunInfo Info() => Guard(() => RunQueries.Info(_connection, Plan));

    /// <summary>What was noted about the model's file, to see without reading it that it is the same; null where nothing was.</summary>
    public string? ModelStamp() => Guard(() => StoredSpec.Meta(_connection, "model_stamp"));

    /// <summary>Which texts are kept or failed.</summary>
    public RunProgress Progress() => Guard(() => RunQueries.Progress(_connection, Plan));

    /// <summary>The digest of what is kept now.</summary>
    public RunDigest Digest() => Guard(() => RunQueries.Digest(_connection, Plan));

    /// <summary>Writes all that the action hands over, or nothing; returns when it is on the disk.</summary>
    /// <exception cref="SiloException">The disk is full, or writing failed.</exception>
    public void Write(Action<RunBatch> write)
    {
        try
        {
            using var transaction = _connection.BeginTransaction();
            write(new RunBatch(_connection, Plan, _time.GetUtcNow()));
            transaction.Commit();
        }
        catch (SqliteException e)
        {
            throw RunConnection.Explain(Directory, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _connection.Dispose();
        _lock.Dispose();
    }

    private static RunStore Open(RunDirectory directory, bool fresh, Func<RunDirectory, RunLock, SqliteConnection, RunStore> open)
    {
        var held = RunLock.Take(directory);
        SqliteConnection? connection = null;
        try
        {
            if (fresh) Delete(directory);
            connection = RunConnection.OpenWriter(directory);
            return open(directory, held, connection);
        }
        catch (Exception e)
        {
            connection?.Dispose();
            held.Dispose();
            if (RunConnection.Explain(directory, e) is { } explained) throw explained;
            throw;
        }
    }

    private static void Delete(RunDirectory directory)
    {
        try
        {
            // The log goes first: without the database it would be applied to the next one.
            foreach (var file in (ReadOnlySpan<string>)[directory.Database + "-wal", directory.Database + "-shm", directory.Database, directory.Report])
                File.Delete(file);
            if (System.IO.Directory.Exists(directory.Tables)) System.IO.Directory.Delete(directory.Tables, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiloException($"{directory.Path}: the old run cannot be deleted: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private T Guard<T>(Func<T> read) => RunConnection.Guard(Directory, read);
}
