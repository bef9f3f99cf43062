using Silo.Cluster.Azure;
using Silo.Cluster.Grains;
using Silo.Cluster.Hosting;
using Silo.Cluster.Inference;
using Silo.Cluster.Postgres;
using Silo.Cluster.Telemetry;
using Silo.Core;

return await HostProgram.RunAsync(args, host =>
{
    if (host.Options.Role is not HostRole.Inference) throw new SiloException($"Silo:Role is {host.Options.Role}: this executable is Inference");
    host.AddStorage(StorageKind.Azure, AzureStorage.Register).AddStorage(StorageKind.Postgres, PostgresStorage.Register);
    host.Web.Services.AddSiloTelemetry(host.Options.Role.ToString().ToLowerInvariant());
    host.ExcludedGrains = GrainServices.IsGrain;

    var options = host.Options.Model;
    var path = options.Path ?? throw new SiloException("Silo:Model:Path is not set: the folder of a model for ONNX Runtime GenAI is expected");
    var served = ServedModel.Open(path, options.Name, options.Device ?? Silo.Models.ModelOptions.Cuda, options.Threads, options.MaxRows);
    served.AddTo(host.Web.Services, host.Metadata);
}, app => app.MapSiloMetrics());
