using System.Net;
using System.Net.Sockets;

namespace Silo.Host.Tests.Fixtures;

/// <summary>Ports of this machine that nothing listens on, below those that the system gives to clients.</summary>
internal static class Ports
{
    private static int s_last = 15_000 + Random.Shared.Next(10_000);

    public static int Next()
    {
        while (true)
        {
            var port = Interlocked.Increment(ref s_last);
            try
            {
                using var listener = new TcpListener(IPAddress.Any, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken.
            }
        }
    }
}
