using System.Text.Json;
using Microsoft.Data.Sqlite;
using Silo.Core;

namespace Silo.Storage.Runs;

/// <summary>Opens run.db and says in one line what went wrong with it.</summary>
internal static class RunConnection
{
    private const int Error = 1, CannotOpen = 14, ReadOnly = 8, Full = 13, InputOutput = 10, Corrupt = 11, NotADatabase = 26, Busy = 5, Locked = 6;

    public static SqliteConnection OpenWriter(RunDirectory directory)
    {
        var connection = Open(directory, directory.Database, SqliteOpenMode.ReadWriteCreate);
        try
        {
            // A commit is on the disk before it is acknowledged: neither kill -9 nor a power cut takes it back.
            Execute(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
            return connection;
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw Explain(directory, e);
        }
    }

    /// <summary>
    /// Opens for reading. Where the folder cannot be written to, SQLite cannot make the index of its log; a database
    /// that was closed properly has no log, and is then read as one that does not change.
    /// </summary>
    public static SqliteConnection OpenReader(RunDirectory directory)
    {
        if (!directory.HoldsRun) throw new SiloException($"{directory.Path}: no run is here (run.db is missing)");
        SqliteConnection? connection = null;
        try
        {
            connection = Open(directory, directory.Database, SqliteOpenMode.ReadOnly);
            Scalar(connection, "SELECT count(*) FROM sqlite_schema");
            return connection;
        }
        catch (SqliteException e) when (e.SqliteErrorCode is CannotOpen or ReadOnly && HasNoLog(directory))
        {
            connection?.Dispose();
            try
            {
                return Open(directory, UnchangingUri(directory), SqliteOpenMode.ReadOnly);
            }
            catch (SqliteException)
            {
                throw Explain(directory, e);
            }
        }
        catch (SqliteException e)
        {
            connection?.Dispose();
            throw Explain(directory, e);
        }
    }

    public static SqliteCommand Command(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // Every text is a constant of this assembly; values are always parameters.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    public static void Execute(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = Command(connection, sql, parameters);
        command.ExecuteNonQuery();
    }

    public static object? Scalar(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = Command(connection, sql, parameters);
        return command.ExecuteScalar() is { } value and not DBNull ? value : null;
    }

    /// <summary>Reads, and says in one line what is wrong where that fails: what is stored can be damaged in any way.</summary>
    public static T Guard<T>(RunDirectory directory, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (Explain(directory, e) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>What is wrong with the database where reading it failed so; null where it is not to blame.</summary>
    public static SiloException? Explain(RunDirectory directory, Exception e) => e switch
    {
        SqliteException sqlite => Explain(directory, sqlite),
        FormatException or JsonException or InvalidOperationException or InvalidCastException or ArgumentException or OverflowException
            or KeyNotFoundException or IndexOutOfRangeException => new($"{directory.Database}: is damaged ({e.Message.ReplaceLineEndings(" ")})", e),
        _ => null,
    };

    public static SiloException Explain(RunDirectory directory, SqliteException e) => new(e.SqliteErrorCode switch
    {
        Full => $"{directory.Database}: the disk is full; all that was stored is safe: free some space and run the same command again",
        InputOutput => $"{directory.Database}: reading or writing failed (is the disk full?); all that was stored is safe: run the same command again ({OneLine(e)})",
        Corrupt => $"{directory.Database}: is damaged ({OneLine(e)})",
        NotADatabase => $"{directory.Database}: no database of a Silo run ({OneLine(e)})",
        Busy or Locked => $"{directory.Database}: held by another process for too long",
        CannotOpen or ReadOnly => $"{directory.Database}: cannot be opened or written to ({OneLine(e)})",
        Error => $"{directory.Database}: no database of a Silo run ({OneLine(e)})",
        _ => $"{directory.Database}: {OneLine(e)}",
    }, e);

    private static SqliteConnection Open(RunDirectory directory, string source, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = source, Mode = mode, Pooling = false }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch (SqliteException e) when (mode != SqliteOpenMode.ReadOnly)
        {
            connection.Dispose();
            throw Explain(directory, e);
        }
        catch (SqliteException)
        {
            connection.Dispose();
            throw;
        }
    }

    private static string UnchangingUri(RunDirectory directory)
    {
        var parts = Path.GetFullPath(directory.Database).Replace('\\', '/').TrimStart('/').Split('/');
        return $"file:///{string.Join('/', parts.Select(Uri.EscapeDataString))}?immutable=1";
    }

    private static bool HasNoLog(RunDirectory directory)
    {
        var log = new FileInfo(directory.Database + "-wal");
        return !log.Exists || log.Length == 0;
    }

    private static string OneLine(SqliteException e) => e.Message.ReplaceLineEndings(" ");
}
