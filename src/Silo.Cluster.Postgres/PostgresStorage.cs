using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Silo.Cluster.Contracts;
using Silo.Cluster.Hosting;

namespace Silo.Cluster.Postgres;

/// <summary>PostgreSQL by ADO.NET: membership, reminders, and both stores. Registration only.</summary>
public static class PostgresStorage
{
    private const string Invariant = "Npgsql";

    /// <summary>Registers PostgreSQL by the connection string in the file that the options name.</summary>
    public static void Register(ISiloBuilder silo, SiloHostOptions options)
    {
        var connection = SiloHostOptions.ReadSecret(options.Postgres.ConnectionStringFile, "Silo:Postgres:ConnectionStringFile");
        silo.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = (Invariant, connection));
        silo.UseAdoNetReminderService(o => (o.Invariant, o.ConnectionString) = (Invariant, connection));
        foreach (var store in (string[])[StoreNames.Main, StoreNames.Traces])
            silo.AddAdoNetGrainStorage(store, o =>
            {
                (o.Invariant, o.ConnectionString) = (Invariant, connection);
                o.GrainStorageSerializer = new PackedStateSerializer();
            });
        // A read that fails ends the activation, and its cause travels to the caller; without this it would be lost for another.
        silo.Services.Configure<ExceptionSerializationOptions>(o => o.SupportedNamespacePrefixes.Add(Invariant));
    }
}
