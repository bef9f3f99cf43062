using Silo.Cluster.Azure;
using Silo.Cluster.Grains;
using Silo.Cluster.Hosting;
using Silo.Cluster.Postgres;
using Silo.Cluster.Telemetry;
using Silo.Core;

return await HostProgram.RunAsync(args, host =>
{
    if (host.Options.Role is not (HostRole.Orchestrator or HostRole.Gateway))
        throw new SiloException($"Silo:Role is {host.Options.Role}: this executable is an Orchestrator or a Gateway");
    host.AddStorage(StorageKind.Azure, AzureStorage.Register).AddStorage(StorageKind.Postgres, PostgresStorage.Register);
    host.Web.Services.AddSiloGrains(timing => timing.StartWithin = TimeSpan.FromHours(host.Options.StartWithinHours));
    host.Web.Services.AddSiloTelemetry(host.Options.Role.ToString().ToLowerInvariant());
    if (host.Options.Role == HostRole.Gateway) host.ExcludedGrains = GrainServices.IsGrain;
}, app => app.MapSiloMetrics());
