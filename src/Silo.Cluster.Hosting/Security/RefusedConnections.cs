using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Connections.Security;
using Silo.Cluster.Contracts;

namespace Silo.Cluster.Hosting.Security;

/// <summary>Counts connections that come to their end without TLS: no certificate, one of a foreign authority, no TLS at all.</summary>
internal static class RefusedConnections
{
    private static readonly object s_agreed = new();

    /// <summary>Sets up TLS with a count around it.</summary>
    public static ISiloBuilder UseCountedTls(this ISiloBuilder silo, Action<TlsOptions> configure)
    {
        // In this order: what is set up first sees a connection first.
        Both(silo, (metrics, port) => next => async connection =>
        {
            try
            {
                await next(connection);
            }
            finally
            {
                if (!connection.Items.ContainsKey(s_agreed)) metrics.ConnectionRefused(port);
            }
        });
        silo.UseTls(configure);
        Both(silo, (_, _) => next => connection =>
        {
            connection.Items[s_agreed] = true;
            return next(connection);
        });
        return silo;
    }

    private static void Both(ISiloBuilder silo, Func<ClusterMetrics, string, Func<ConnectionDelegate, ConnectionDelegate>> middleware) =>
        silo.Services.AddOptions<SiloConnectionOptions>().Configure<ClusterMetrics>((options, metrics) =>
        {
            options.ConfigureSiloInboundConnection(connections => connections.Use(middleware(metrics, "hosts")));
            options.ConfigureGatewayInboundConnection(connections => connections.Use(middleware(metrics, "clients")));
        });
}
