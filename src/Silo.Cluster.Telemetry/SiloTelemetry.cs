using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Silo.Cluster.Contracts;

namespace Silo.Cluster.Telemetry;

/// <summary>
/// Metrics at <c>/metrics</c> for Prometheus and, where OTEL_EXPORTER_OTLP_ENDPOINT is set, metrics and traces by OTLP.
/// </summary>
public static class SiloTelemetry
{
    private const string Ours = ClusterMetrics.MeterName, EnginesOwn = Ours + ".*";
    private static readonly string[] s_orleansActivities = ["Microsoft.Orleans.Application", "Microsoft.Orleans.Runtime", "Microsoft.Orleans.Lifecycle", "Microsoft.Orleans.Storage"];

    /// <summary>Registers telemetry.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="role">What the host does; part of its resource name.</param>
    public static IServiceCollection AddSiloTelemetry(this IServiceCollection services, string role)
    {
        var otlp = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"));
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("silo-" + role, serviceNamespace: "silo"))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(Ours, EnginesOwn, "Microsoft.Orleans").AddRuntimeInstrumentation().AddAspNetCoreInstrumentation();
                metrics.AddPrometheusExporter();
                if (otlp) metrics.AddOtlpExporter();
            })
            .WithTracing(traces =>
            {
                traces.AddSource(Ours, EnginesOwn);
                traces.AddSource(s_orleansActivities);
                if (otlp) traces.AddOtlpExporter();
            });
        services.AddHostedService<Zeros>();
        return services;
    }

    /// <summary>Serves <c>/metrics</c>.</summary>
    public static WebApplication MapSiloMetrics(this WebApplication app)
    {
        app.MapPrometheusScrapingEndpoint("/metrics");
        return app;
    }

    // Started after OpenTelemetry's own service, which is always the first.
    private sealed class Zeros(ClusterMetrics metrics) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            metrics.ShowZeros();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
