using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Silo.Core;
using Silo.Models;
using Silo.Models.OnnxGenAI;

namespace Silo.Cluster.Inference;

/// <summary>A model that a host serves: opened on a device, with its engine, and what the host says of all three in metadata, log and metrics.</summary>
public sealed partial class ServedModel : IAsyncDisposable
{
    private readonly ILanguageModel _model;
    private readonly GenerationEngine _engine;
    private readonly CudaDevice? _device;

    private ServedModel(ILanguageModel model, GenerationEngine engine, CudaDevice? device, string name)
    {
        (_model, _engine, _device) = (model, engine, device);
        Host = new EngineHost(engine, name, device is null ? ModelOptions.Cpu : ModelOptions.Cuda);
    }

    /// <summary>What grains ask.</summary>
    public EngineHost Host { get; }

    /// <summary>What the host says of itself: for placement, and its device.</summary>
    public Dictionary<string, string> Metadata
    {
        get
        {
            var metadata = Host.Metadata;
            if (_device is null) return metadata;
            metadata["silo.device.name"] = _device.Name;
            metadata["silo.device.memory"] = _device.MemoryBytes.ToString(CultureInfo.InvariantCulture);
            metadata["silo.device.driver"] = _device.Driver;
            return metadata;
        }
    }

    /// <summary>Opens a model and starts its engine.</summary>
    /// <param name="path">Its file or folder.</param>
    /// <param name="name">The name that experiments ask for; null: the model's own.</param>
    /// <param name="device"><see cref="ModelOptions.Cpu"/> or <see cref="ModelOptions.Cuda"/>.</param>
    /// <param name="threads">Threads of the engine; 0: one a core.</param>
    /// <param name="maxRows">Most rows that step together.</param>
    /// <exception cref="SiloException">No such device can be seen, or the model cannot be used; the message says which and why.</exception>
    public static ServedModel Open(string path, string? name, string device, int threads, int maxRows)
    {
        var cuda = device == ModelOptions.Cuda
            ? CudaDevice.First() ?? throw new SiloException(
                "no CUDA device can be seen: is the driver loaded, does the container get its GPUs, does CUDA_VISIBLE_DEVICES name one? (Silo:Model:Device=cpu serves on the CPU)")
            : null;
        var model = LanguageModels.Open(path, new ModelOptions { Device = device, Threads = threads > 0 ? threads : Environment.ProcessorCount });
        var engine = new GenerationEngine(model, new GenerationEngineOptions { RowLimit = maxRows });
        return new ServedModel(model, engine, cuda, name ?? model.Info.Name);
    }

    /// <summary>Registers the engine, and what watches over it, with a host: it is ready with the model loaded.</summary>
    public void AddTo(IServiceCollection services, IDictionary<string, string> metadata)
    {
        foreach (var (key, value) in Metadata) metadata[key] = value;
        services.AddSingleton(Host);
        services.AddHealthChecks().AddCheck("model", () => HealthCheckResult.Healthy(Host.Fingerprint), ["ready"]);
        services.AddSingleton<IHostedService>(provider => new Service(this, provider.GetRequiredService<ILogger<ServedModel>>()));
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        _model.Dispose();
    }

    [LoggerMessage(LogLevel.Information, "Serving {Model} on the CPU: {Fingerprint}")]
    private static partial void LogCpu(ILogger logger, string model, string fingerprint);

    [LoggerMessage(LogLevel.Information, "Serving {Model} on {Device} ({Uuid}, compute capability {Capability}, {Megabytes} MB, driver {Driver}): {Fingerprint}")]
    private static partial void LogCuda(ILogger logger, string model, string device, string uuid, Version capability, long megabytes, string driver, string fingerprint);

    /// <summary>Tells of the device when the host starts, and ends engine and model with it.</summary>
    private sealed class Service(ServedModel served, ILogger logger) : IHostedService, IDisposable
    {
        private readonly Meter _meter = new("Silo.Device");

        public Task StartAsync(CancellationToken cancellationToken)
        {
            var fingerprint = served.Host.Fingerprint;
            if (served._device is not { } device)
            {
                LogCpu(logger, served._model.Info.Name, fingerprint);
                return Task.CompletedTask;
            }
            LogCuda(logger, served._model.Info.Name, device.Name, device.Uuid, device.ComputeCapability, device.MemoryBytes / 1_000_000, device.Driver, fingerprint);
            KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
            var (named, driver) = (Tag("device", device.Name), Tag("driver", device.Driver));
            _meter.CreateObservableGauge("silo.device.memory", () => device.FreeBytes is { } free
                ? [new Measurement<long>(free, named, driver, Tag("state", "free")), new Measurement<long>(device.MemoryBytes - free, named, driver, Tag("state", "used"))]
                : (IEnumerable<Measurement<long>>)[new Measurement<long>(device.MemoryBytes, named, driver, Tag("state", "all"))],
                "By", "Memory of the device that the model runs on, by state; whose it is is not asked.");
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => served.DisposeAsync().AsTask();

        public void Dispose() => _meter.Dispose();
    }
}
