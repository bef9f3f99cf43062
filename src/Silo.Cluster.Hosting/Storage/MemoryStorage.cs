using System.Net;
using Silo.Cluster.Contracts;

namespace Silo.Cluster.Hosting;

/// <summary>State in memory, on loopback: for development, gone with the process.</summary>
internal static class MemoryStorage
{
    public static void Register(ISiloBuilder silo, SiloHostOptions options)
    {
        silo.UseLocalhostClustering(options.SiloPort, options.GatewayPort, null, options.ServiceId, options.ClusterId);
        silo.Configure<Orleans.Configuration.EndpointOptions>(o => o.AdvertisedIPAddress = IPAddress.Loopback);
        silo.UseInMemoryReminderService();
        silo.AddMemoryGrainStorage(StoreNames.Main);
        silo.AddMemoryGrainStorage(StoreNames.Traces);
    }
}
