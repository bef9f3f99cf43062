using Microsoft.Extensions.Hosting;

namespace Silo.Cluster.Inference;

/// <summary>Ends an engine, then its model, with the host that serves them.</summary>
/// <param name="engine">The engine.</param>
/// <param name="model">Its model.</param>
public sealed class EngineLifetime(IAsyncDisposable engine, IDisposable model) : IHostedService
{
    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await engine.DisposeAsync();
        model.Dispose();
    }
}
