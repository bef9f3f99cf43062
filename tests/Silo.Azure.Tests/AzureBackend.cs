using Silo.Cluster.Azure;
using Silo.Cluster.Hosting;
using Silo.Cluster.Tests.Fixtures;
using Silo.Cluster.Tests.Storage;
using Silo.TestKit.Servers;

namespace Silo.Azure.Tests;

/// <summary>Azurite as clusters' storage, registered as the hosts register Azure.</summary>
public sealed class AzureBackend : IStorageBackend, IServerStorage<AzureBackend>
{
    private readonly string _file = Path.GetTempFileName();

    /// <summary>A storage over a server.</summary>
    /// <param name="server">The server; disposed of with this.</param>
    /// <param name="connection">What hosts connect with; null: the server's own.</param>
    public AzureBackend(AzuriteServer server, string? connection = null)
    {
        Server = server;
        File.WriteAllText(_file, connection ?? server.ConnectionString);
    }

    public AzuriteServer Server { get; }

    public static async Task<AzureBackend> StartNewAsync() => new(await AzuriteServer.StartNewAsync());

    public void Register(ISiloBuilder silo, string service) =>
        AzureStorage.Register(silo, new SiloHostOptions { ServiceId = service, Azure = new ConnectionFile { ConnectionStringFile = _file } });

    public Task StopAsync() => Server.StopAsync();

    public Task StartAsync() => Server.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        File.Delete(_file);
    }
}
