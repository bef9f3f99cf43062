using Silo.Cluster.Hosting;
using Silo.Cluster.Postgres;
using Silo.Cluster.Tests.Fixtures;
using Silo.TestKit.Servers;

namespace Silo.Postgres.Tests;

/// <summary>A PostgreSQL server as clusters' storage, registered as the hosts register it.</summary>
internal sealed class PostgresBackend : IStorageBackend, IAsyncDisposable
{
    private readonly string file = Path.GetTempFileName();
    private readonly SiloHostOptions options = new();

    private PostgresBackend(PostgresServer server)
    {
        Server = server;
        File.WriteAllText(file, server.ConnectionString);
        options.Postgres.ConnectionStringFile = file;
    }

    public PostgresServer Server { get; }

    public static async Task<PostgresBackend> StartAsync() => new(await PostgresServer.StartNewAsync());

    public void Register(ISiloBuilder silo) => PostgresStorage.Register(silo, options);

    public Task StopAsync() => Server.StopAsync();

    Task IStorageBackend.StartAsync() => Server.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        File.Delete(file);
    }
}
