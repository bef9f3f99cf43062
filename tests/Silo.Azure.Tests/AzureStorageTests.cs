using Silo.Cluster.Tests.Fixtures;
using Silo.Cluster.Tests.Storage;

[assembly: AssemblyFixture(typeof(Silo.Azure.Tests.SharedAzurite))]

namespace Silo.Azure.Tests;

/// <summary>One server for all tests that do not stop it, started when the first asks for it.</summary>
public sealed class SharedAzurite : IAsyncDisposable
{
    private readonly Lazy<Task<AzureBackend>> started = new(AzureBackend.StartNewAsync);

    internal Task<AzureBackend> GetAsync() => started.Value;

    public async ValueTask DisposeAsync()
    {
        if (started is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) await (await started.Value).DisposeAsync();
    }
}

public sealed class AzureStorageTests(SharedAzurite shared) : StorageSuite
{
    private protected override async Task<IStorageBackend> SharedAsync() => await shared.GetAsync();

    private protected override async Task<IStorageBackend> OwnAsync() => await AzureBackend.StartNewAsync();
}
