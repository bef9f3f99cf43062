using Silo.Cluster.Tests.Fixtures;

namespace Silo.Cluster.Tests.Storage;

/// <summary>The suite that PostgreSQL and Azure are held to, on the store that the other tests of the cluster use.</summary>
public sealed class MemoryStorageTests : StorageSuite
{
    private static readonly MemoryBackend s_common = new();

    private protected override Task<IStorageBackend> SharedAsync() => Task.FromResult<IStorageBackend>(s_common);

    private protected override Task<IStorageBackend> OwnAsync() => Task.FromResult<IStorageBackend>(new MemoryBackend());
}
