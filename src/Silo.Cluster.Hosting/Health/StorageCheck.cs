using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Storage;
using Silo.Cluster.Contracts;

namespace Silo.Cluster.Hosting.Health;

/// <summary>Ready when both stores answer a read.</summary>
internal sealed class StorageCheck(IServiceProvider services, ClusterMetrics metrics) : IHealthCheck
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        foreach (var name in (string[])[StoreNames.Main, StoreNames.Traces])
        {
            try
            {
                var store = services.GetRequiredKeyedService<IGrainStorage>(name);
                await store.ReadStateAsync("health", GrainId.Create("health", "probe"), new GrainState<PackedState>()).WaitAsync(s_patience, cancellationToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Grains that cannot be read have nobody who counts: as long as reads fail, so does this one, and the alert stays.
                metrics.StorageFailure(name, "read");
                return HealthCheckResult.Unhealthy($"store '{name}': {e.Message}");
            }
        }
        return HealthCheckResult.Healthy();
    }
}

