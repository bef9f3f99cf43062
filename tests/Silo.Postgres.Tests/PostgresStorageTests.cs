using Npgsql;
using Silo.Client;
using Silo.Cluster.Tests.Faults;
using Silo.Cluster.Tests.Fixtures;
using Silo.Cluster.Tests.Storage;
using Silo.TestKit.Servers;

[assembly: AssemblyFixture(typeof(SharedStorage<Silo.Postgres.Tests.PostgresBackend>))]

namespace Silo.Postgres.Tests;

public sealed class PostgresStorageTests(SharedStorage<PostgresBackend> shared) : StorageSuite
{
    private protected override async Task<IStorageBackend> SharedAsync() => await shared.GetAsync();

    private protected override async Task<IStorageBackend> OwnAsync() => await PostgresBackend.StartNewAsync();

    [Fact]
    public async Task The_script_may_be_run_again_and_leaves_databases_of_others_alone()
    {
        await using var server = await PostgresServer.StartNewAsync();
        await server.QueryAsync("-c", "INSERT INTO silo_cluster (cluster) VALUES ('kept')", "-c", "UPDATE OrleansQuery SET QueryText = 'old'");
        await server.QueryAsync("-f", PostgresServer.Script);
        Assert.Equal("kept", await server.QueryAsync("-c", "SELECT cluster FROM silo_cluster"));
        Assert.Equal("0", await server.QueryAsync("-c", "SELECT count(*) FROM OrleansQuery WHERE QueryText = 'old'"));
        await server.QueryAsync("-c", "CREATE TABLE OrleansStorage (any_column integer)", "-c", "UPDATE OrleansQuery SET QueryText = 'theirs'");
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => server.QueryAsync("-f", PostgresServer.Script));
        Assert.Contains("has the tables of Orleans' own scripts", refused.Message, StringComparison.Ordinal);
        Assert.Equal("0", await server.QueryAsync("-c", "SELECT count(*) FROM OrleansQuery WHERE QueryText <> 'theirs'"));
    }

    [Fact]
    public async Task While_there_is_no_connection_to_be_had_the_campaign_waits()
    {
        await using var storage = await PostgresBackend.StartNewAsync(maxConnections: 60);
        var spec = Specs.Small(40);
        await using var cluster = await HostedCluster.StartAsync(new TestWorld { Engine = Slow(50), RemindEvery = TimeSpan.FromMilliseconds(500) }, storage, "exhausted");
        using var failed = new Failures("write");
        await cluster.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 4 }, null, Cancellation);
        while ((await cluster.Client.StatusAsync("e", Cancellation)).Ended < 8) await Task.Delay(20, Cancellation);
        var ranks = Chaos.Ranks(spec, 9);
        var ranking = Chaos.InsistAsync(() => cluster.Client.RankAsync("e", ranks, Cancellation), Cancellation);
        await TakeAllConnectionsAsync(storage.Server.ConnectionString, () => failed.Count > 2);
        await ranking;
        await AssertEndAsync(cluster, spec, ranks);
    }

    private static async Task TakeAllConnectionsAsync(string connectionString, Func<bool> enough)
    {
        var taken = new Stack<NpgsqlConnection>();
        try
        {
            while (!enough())
            {
                var connection = new NpgsqlConnection($"{connectionString};Pooling=false;Application Name=taker");
                try
                {
                    await connection.OpenAsync(Cancellation);
                    taken.Push(connection);
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.TooManyConnections)
                {
                    await connection.DisposeAsync();
                    await using var end = new NpgsqlCommand("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'taker'", taken.Peek());
                    await end.ExecuteNonQueryAsync(Cancellation);
                }
            }
        }
        finally
        {
            while (taken.TryPop(out var connection)) await connection.DisposeAsync();
        }
    }

    /// <summary>As the runbook says: a dump of the running database, restored elsewhere.</summary>
    [Fact]
    public async Task A_backup_of_a_running_campaign_goes_on_where_it_was_taken()
    {
        var spec = Specs.Small(30);
        var gate = new Gate(15);
        var world = new TestWorld { Engine = gate.Engine, RemindEvery = TimeSpan.FromMilliseconds(500) };
        var ranks = Chaos.Ranks(spec, 10);
        var file = Path.GetTempFileName();
        try
        {
            var storage = await shared.GetAsync();
            await using (var cluster = await HostedCluster.StartAsync(world, storage, "saved"))
            {
                await cluster.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 3 }, null, Cancellation);
                await cluster.Client.RankAsync("e", ranks.Take(ranks.Count / 2), Cancellation);
                while ((await cluster.Client.StatusAsync("e", Cancellation)).Ended < 8) await Task.Delay(20, Cancellation);
                await storage.Server.BackUpAsync(file);
            }
            await using var other = await PostgresBackend.StartNewAsync();
            await other.Server.RestoreAsync(file);
            await using var after = await HostedCluster.StartAsync(world, other, "saved");
            Assert.InRange((await after.Client.StatusAsync("e", Cancellation)).Ended, 8, 15);
            gate.Open();
            await after.Client.RankAsync("e", ranks, Cancellation);
            await AssertEndAsync(after, spec, ranks);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
