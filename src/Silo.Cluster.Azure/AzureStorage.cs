using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Silo.Cluster.Contracts;
using Silo.Cluster.Hosting;

namespace Silo.Cluster.Azure;

/// <summary>
/// Azure: membership, reminders and state in tables, prompts, texts, traces and sums in blobs. Registration only;
/// paging, limits, retries and conflicts are handled in code that knows no provider.
/// </summary>
public static class AzureStorage
{
    /// <summary>Registers Azure storage by the connection string in the file that the options name.</summary>
    public static void Register(ISiloBuilder silo, SiloHostOptions options)
    {
        var connection = SiloHostOptions.ReadSecret(options.Azure.ConnectionStringFile, "Silo:Azure:ConnectionStringFile");
        silo.UseAzureStorageClustering(o => o.TableServiceClient = new TableServiceClient(connection));
        silo.UseAzureTableReminderService(o => o.TableServiceClient = new TableServiceClient(connection));
        silo.AddAzureTableGrainStorage(StoreNames.Main, o =>
        {
            o.TableServiceClient = new TableServiceClient(connection);
            o.TableName = "SiloState";
            // Binary columns: long strings may be cut without a word.
            o.UseStringFormat = false;
            o.GrainStorageSerializer = new PackedStateSerializer();
        });
        silo.AddAzureBlobGrainStorage(StoreNames.Traces, o =>
        {
            o.BlobServiceClient = new BlobServiceClient(connection);
            // Blobs are not named by service, as rows are.
            o.ContainerName = $"{options.ServiceId}-traces";
            o.GrainStorageSerializer = new PackedStateSerializer();
        });
    }
}
