using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Silo.Cluster.Hosting.Health;

/// <summary>Ready when the cluster counts this silo as active.</summary>
internal sealed class MembershipCheck(ISiloStatusOracle oracle) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(oracle.CurrentStatus == SiloStatus.Active
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy($"the silo is {oracle.CurrentStatus}"));
}
