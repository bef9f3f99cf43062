using Azure.Storage.Blobs;
using Silo.Client;
using Silo.Cluster.Tests.Faults;
using Silo.Cluster.Tests.Fixtures;
using Silo.Cluster.Tests.Storage;
using Silo.TestKit.Servers;

[assembly: AssemblyFixture(typeof(SharedStorage<Silo.Azure.Tests.AzureBackend>))]

namespace Silo.Azure.Tests;

public sealed class AzureStorageTests(SharedStorage<AzureBackend> shared) : StorageSuite
{
    private protected override async Task<IStorageBackend> SharedAsync() => await shared.GetAsync();

    private protected override async Task<IStorageBackend> OwnAsync() => await AzureBackend.StartNewAsync();

    [Fact]
    public async Task Throttled_and_with_answers_lost_the_campaign_comes_to_the_same_end()
    {
        var server = await AzuriteServer.StartNewAsync();
        await using var blobs = await MoodyProxy.StartAsync(server.BlobPort, 1);
        await using var tables = await MoodyProxy.StartAsync(server.TablePort, 2);
        await using var storage = new AzureBackend(server, AzuriteServer.ConnectionStringTo(blobs.Port, tables.Port));
        var spec = Specs.Small(20);
        await using var cluster = await HostedCluster.StartAsync(new TestWorld { Engine = Slow(20), RemindEvery = TimeSpan.FromMilliseconds(500) }, storage, "throttled");
        using var conflicts = new Failures("conflict");
        blobs.Share = tables.Share = 0.15;
        await Chaos.InsistAsync(() => cluster.Client.SubmitAsync("e", spec, new SubmitOptions { Window = 20 }, null, Cancellation), Cancellation);
        var ranks = Chaos.Ranks(spec, 9);
        await Chaos.InsistAsync(() => cluster.Client.RankAsync("e", ranks, Cancellation), Cancellation);
        await EndAsync(cluster);
        blobs.Share = tables.Share = 0;
        await AssertEndAsync(cluster, spec, ranks);
        TestContext.Current.TestOutputHelper?.WriteLine($"blobs: {blobs.Counts}, tables: {tables.Counts}, {conflicts.Count} conflicts");
        Assert.All([blobs.Counts, tables.Counts], counts => Assert.True(counts is { Throttled: > 0, Lost: > 0 }));
        // An answer that was lost and asked for again finds that its own first write stands in its way.
        Assert.True(conflicts.Count > 0);
    }

    [Fact]
    public async Task State_lies_in_the_services_own_table_rows_and_container()
    {
        var storage = await shared.GetAsync();
        var spec = Specs.Small(1);
        foreach (var service in (string[])["ours", "theirs"])
        {
            await using var cluster = await HostedCluster.StartAsync(new TestWorld { InferenceSilos = 1 }, storage, service);
            await cluster.Client.SubmitAsync("e", spec with { Seed = (ulong)service.Length }, new SubmitOptions(), null, Cancellation);
            Assert.Equal(3, (await EndAsync(cluster)).Kept);
        }
        var blobs = new BlobServiceClient(storage.Server.ConnectionString);
        foreach (var service in (string[])["ours", "theirs"])
        {
            var names = new List<string>();
            await foreach (var blob in blobs.GetBlobContainerClient($"{service}-traces").GetBlobsAsync(cancellationToken: Cancellation)) names.Add(blob.Name);
            Assert.Contains("prompt-texts-prompt/e/p1.json", names);
            Assert.Contains("prompt-page-promptpage/e/000000.json", names);
        }
    }
}
