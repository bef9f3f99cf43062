using Microsoft.Extensions.Diagnostics.HealthChecks;
using Silo.Cluster.Azure;
using Silo.Cluster.Contracts.Inference;
using Silo.Cluster.Grains;
using Silo.Cluster.Hosting;
using Silo.Cluster.Inference;
using Silo.Cluster.Postgres;
using Silo.Cluster.Telemetry;
using Silo.Core;
using Silo.Models;

return await HostProgram.RunAsync(args, host =>
{
    if (host.Options.Role is not (HostRole.Inference or HostRole.AllInOne))
        throw new SiloException($"Silo:Role is {host.Options.Role}: this executable is Inference or AllInOne");
    host.AddStorage(StorageKind.Azure, AzureStorage.Register).AddStorage(StorageKind.Postgres, PostgresStorage.Register);
    host.Web.Services.AddSiloGrains();
    host.Web.Services.AddSiloTelemetry(host.Options.Role.ToString().ToLowerInvariant());
    if (host.Options.Role == HostRole.Inference) host.ExcludedGrains = GrainServices.IsGrain;

    var options = host.Options.Model;
    var path = options.Path ?? Path.Combine(AppContext.BaseDirectory, "storyteller.gguf");
    var model = LanguageModels.Open(path, new Silo.Models.ModelOptions { Threads = options.Threads });
    var engine = new GenerationEngine(model, new GenerationEngineOptions { RowLimit = options.MaxRows });
    var served = new EngineHost(engine, options.Name ?? (options.Path is null ? InferenceKeys.EmbeddedModel : model.Info.Name), "cpu");
    foreach (var (key, value) in served.Metadata) host.Metadata[key] = value;
    host.Web.Services.AddSingleton(served);
    host.Web.Services.AddSingleton<IHostedService>(new EngineLifetime(engine, model));
    host.Web.Services.AddHealthChecks().AddCheck("model", () => HealthCheckResult.Healthy(served.Fingerprint), ["ready"]);
}, app => app.MapSiloMetrics());
