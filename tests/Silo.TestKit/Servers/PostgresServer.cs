using Xunit;

namespace Silo.TestKit.Servers;

/// <summary>
/// A PostgreSQL server of a test's own in a temporary folder, reached by a socket there, with Silo's tables in it. What is
/// acknowledged survives <see cref="StopAsync"/>, which is a crash.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string User = "silo";
    private readonly string _binaries;
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "silo-pg-" + Path.GetRandomFileName());
    private readonly int _maxConnections;
    private ServerProcess? _server;

    private PostgresServer(string binaries, int maxConnections) => (_binaries, _maxConnections) = (binaries, maxConnections);

    /// <summary>The script that makes Silo's tables.</summary>
    public static string Script => Path.Combine(Shared.Repository, "deploy", "postgres", "silo.sql");

    /// <summary>What hosts connect with: as somebody who may read and write rows, and nothing else.</summary>
    public string ConnectionString => $"Host={_folder};Username=host;Database={User}";

    /// <summary>Makes a server with an empty database and starts it; skips the running test, by name, where PostgreSQL is not installed.</summary>
    /// <param name="maxConnections">Most connections at once.</param>
    public static async Task<PostgresServer> StartNewAsync(int maxConnections = 100)
    {
        var binaries = FindBinaries();
        if (binaries is null) Assert.Skip("PostgreSQL is not installed (Debian: apt-get install postgresql)");
        var made = new PostgresServer(binaries, maxConnections);
        Directory.CreateDirectory(made._folder);
        if (Environment.IsPrivilegedProcess) await ServerProcess.RunAsync(["chown", Owner, made._folder]);
        await ServerProcess.RunAsync([.. AsOwner(), made.Program("initdb"), "-D", made.Data, "-U", User, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        await made.StartAsync();
        await ServerProcess.RunAsync([made.Program("createdb"), "-h", made._folder, "-U", User, User]);
        await made.QueryAsync("-f", Script, "-c", "CREATE ROLE host LOGIN", "-c", "GRANT SELECT ON OrleansQuery TO host",
            "-c", "GRANT SELECT, INSERT, UPDATE, DELETE ON silo_state, silo_reminder, silo_cluster, silo_host TO host");
        return made;
    }

    /// <summary>Starts it again on what it has stored.</summary>
    public async Task StartAsync()
    {
        // It is the machine's crash that a sync is for, and the server's alone that tests make.
        _server = new ServerProcess("QUIT", [.. AsOwner(), Program("postgres"), "-D", Data, "-k", _folder, "-c", "listen_addresses=", "-c", "fsync=off",
            "-c", $"max_connections={_maxConnections}"]);
        await _server.UntilAsync(async () => (await ServerProcess.TryRunAsync([Program("pg_isready"), "-h", _folder, "-U", User])).Code == 0, "PostgreSQL");
    }

    /// <summary>Ends it at once, as a crash would: connections are cut, and what was not committed is gone.</summary>
    public async Task StopAsync()
    {
        await _server!.StopAsync();
        _server.Dispose();
        _server = null;
    }

    /// <summary>Asks with <c>psql</c>; the answer is rows of cells between bars.</summary>
    /// <param name="arguments">Arguments of psql: <c>-c</c> and a query, <c>-f</c> and a file.</param>
    public async Task<string> QueryAsync(params string[] arguments) =>
        (await ServerProcess.RunAsync([Program("psql"), "-h", _folder, "-U", User, "-d", User, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", .. arguments])).Trim();

    /// <summary>Writes a backup of the database with <c>pg_dump</c>.</summary>
    public Task BackUpAsync(string file) => ServerProcess.RunAsync([Program("pg_dump"), "-h", _folder, "-U", User, "-d", User, "-Fc", "-f", file]);

    /// <summary>Puts a backup in the place of what is there.</summary>
    public Task RestoreAsync(string file) => ServerProcess.RunAsync([Program("pg_restore"), "-h", _folder, "-U", User, "-d", User, "--clean", "--if-exists", file]);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await StopAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private string Data => Path.Combine(_folder, "data");

    private string Program(string name) => Path.Combine(_binaries, name);

    // The server refuses to run as root.
    private static string Owner => File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";

    private static string[] AsOwner() => Environment.IsPrivilegedProcess ? ["setpriv", $"--reuid={Owner}", "--clear-groups"] : [];

    private static string? FindBinaries()
    {
        if (OperatingSystem.IsWindows()) return null;
        var debian = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(new ByVersion()).Select(d => Path.Combine(d, "bin")) : [];
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        return debian.Concat(path).FirstOrDefault(d => File.Exists(Path.Combine(d, "initdb")) && File.Exists(Path.Combine(d, "postgres")));
    }

    private sealed class ByVersion : IComparer<string>
    {
        public int Compare(string? x, string? y) => Number(x).CompareTo(Number(y));

        private static double Number(string? folder) => double.TryParse(Path.GetFileName(folder), out var number) ? number : 0;
    }
}
