using Silo.Cluster.Tests.Fixtures;
using Silo.Cluster.Tests.Storage;

[assembly: AssemblyFixture(typeof(Silo.Postgres.Tests.SharedPostgres))]

namespace Silo.Postgres.Tests;

/// <summary>One server for all tests that do not stop it, started when the first asks for it.</summary>
public sealed class SharedPostgres : IAsyncDisposable
{
    private readonly Lazy<Task<PostgresBackend>> started = new(PostgresBackend.StartNewAsync);

    internal Task<PostgresBackend> GetAsync() => started.Value;

    public async ValueTask DisposeAsync()
    {
        if (started is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) await (await started.Value).DisposeAsync();
    }
}

public sealed class PostgresStorageTests(SharedPostgres shared) : StorageSuite
{
    private protected override async Task<IStorageBackend> SharedAsync() => await shared.GetAsync();

    private protected override async Task<IStorageBackend> OwnAsync() => await PostgresBackend.StartNewAsync();
}
