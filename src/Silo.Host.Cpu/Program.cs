using Silo.Cluster.Azure;
using Silo.Cluster.Contracts.Inference;
using Silo.Cluster.Grains;
using Silo.Cluster.Hosting;
using Silo.Cluster.Inference;
using Silo.Cluster.Postgres;
using Silo.Cluster.Telemetry;
using Silo.Core;
using ModelOptions = Silo.Models.ModelOptions;

return await HostProgram.RunAsync(args, host =>
{
    if (host.Options.Role is not (HostRole.Inference or HostRole.AllInOne))
        throw new SiloException($"Silo:Role is {host.Options.Role}: this executable is Inference or AllInOne");
    host.AddStorage(StorageKind.Azure, AzureStorage.Register).AddStorage(StorageKind.Postgres, PostgresStorage.Register);
    host.Web.Services.AddSiloGrains(timing => timing.StartWithin = TimeSpan.FromHours(host.Options.StartWithinHours));
    host.Web.Services.AddSiloTelemetry(host.Options.Role.ToString().ToLowerInvariant());
    if (host.Options.Role == HostRole.Inference) host.ExcludedGrains = GrainServices.IsGrain;

    var options = host.Options.Model;
    var path = options.Path ?? Path.Combine(AppContext.BaseDirectory, "storyteller.gguf");
    var name = options.Name ?? (options.Path is null ? InferenceKeys.EmbeddedModel : null);
    var served = ServedModel.Open(path, name, ModelOptions.Cpu, options.Threads, options.MaxRows);
    served.AddTo(host.Web.Services, host.Metadata);
}, app => app.MapSiloMetrics());
