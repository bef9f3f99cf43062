using Silo.Cluster.Hosting;
using Silo.Cluster.Postgres;
using Silo.Cluster.Tests.Fixtures;
using Silo.Cluster.Tests.Storage;
using Silo.TestKit.Servers;

namespace Silo.Postgres.Tests;

/// <summary>A PostgreSQL server as clusters' storage, registered as the hosts register it.</summary>
public sealed class PostgresBackend : IStorageBackend, IServerStorage<PostgresBackend>
{
    private readonly string _file = Path.GetTempFileName();

    private PostgresBackend(PostgresServer server)
    {
        Server = server;
        File.WriteAllText(_file, server.ConnectionString);
    }

    public PostgresServer Server { get; }

    public static Task<PostgresBackend> StartNewAsync() => StartNewAsync(100);

    public static async Task<PostgresBackend> StartNewAsync(int maxConnections) => new(await PostgresServer.StartNewAsync(maxConnections));

    public void Register(ISiloBuilder silo, string service) =>
        PostgresStorage.Register(silo, new SiloHostOptions { ServiceId = service, Postgres = new ConnectionFile { ConnectionStringFile = _file } });

    public Task StopAsync() => Server.StopAsync();

    public Task StartAsync() => Server.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        File.Delete(_file);
    }
}
