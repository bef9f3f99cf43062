using Microsoft.Extensions.Logging;

namespace Silo.Cluster.Hosting;

/// <summary>What hosts say when they start.</summary>
internal static partial class HostLog
{
    [LoggerMessage(LogLevel.Warning, "Development host: open to everyone on this machine (loopback only, gateway port {Port}), and its state is gone when it stops")]
    public static partial void Open(ILogger logger, int port);
}
