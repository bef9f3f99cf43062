using System.Text;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Grains.Campaigns;
using Silo.Cluster.Grains.State;
using Silo.Cluster.Hosting;

namespace Silo.Cluster.Tests.State;

public sealed class StateBoxTests : IDisposable
{
    private readonly ClusterMetrics _metrics = new();
    private readonly FakeState _state = new();

    [Theory, InlineData(10), InlineData(100_000)]
    public async Task What_was_written_is_read_whether_it_pays_to_compress_it_or_not(int length)
    {
        var page = new PromptPage { Ids = ["p1"], Texts = [new string('x', length)] };
        var box = Box(Limits.MaxTraceBytes);
        box.Value = page;
        Assert.Null(box.Stored);
        await box.WriteAsync();
        Assert.Same(page, box.Stored);
        Assert.InRange(_state.State.Data.Length, 1, Math.Min(length + 100, 4096));
        var other = Box(Limits.MaxTraceBytes);
        other.Load();
        Assert.Equal(page.Texts, other.Stored!.Texts);
    }

    [Fact]
    public async Task State_over_the_limit_is_refused_before_it_is_written()
    {
        var random = new Random(1);
        var incompressible = Convert.ToBase64String(Enumerable.Range(0, 3000).Select(_ => (byte)random.Next(256)).ToArray());
        var box = Box(limit: 2048);
        box.Value = new PromptPage { Ids = ["p1"], Texts = ["short"] };
        await box.WriteAsync();
        var before = (_state.Writes, _state.State.Data);
        box.Value = new PromptPage { Ids = ["p1"], Texts = [incompressible] };
        var refused = await Assert.ThrowsAsync<StateTooLargeException>(() => box.WriteAsync());
        Assert.Contains("over the limit of 2048", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, (_state.Writes, _state.State.Data));
        Assert.Equal("short", box.Stored!.Texts[0]);
    }

    [Fact]
    public async Task What_a_provider_throws_becomes_one_exception_that_travels()
    {
        _state.Fail = new InvalidOperationException("no space left");
        var box = Box(Limits.MaxTraceBytes);
        box.Value = new PromptPage { Ids = ["p1"], Texts = ["x"] };
        Assert.Contains("no space left", (await Assert.ThrowsAsync<StateNotStoredException>(() => box.WriteAsync())).Message, StringComparison.Ordinal);
        Assert.Null(box.Stored);
    }

    [Fact]
    public void State_of_a_later_version_is_not_misread()
    {
        _state.State = new PackedState { Format = 9, Data = [1] };
        Assert.Contains("written by a later version", Assert.Throws<InvalidDataException>(() => Box(10).Load()).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => new PackedStateSerializer().Deserialize<PackedState>(new BinaryData(new byte[3])));
    }

    [Fact]
    public void The_bytes_in_a_store_are_format_and_data()
    {
        var bytes = new PackedStateSerializer().Serialize(new PackedState { Format = 1, Data = Encoding.UTF8.GetBytes("{}") }).ToArray();
        Assert.Equal([1, 0, 0, 0, (byte)'{', (byte)'}'], bytes);
    }

    public void Dispose() => _metrics.Dispose();

    private StateBox<PromptPage> Box(int limit) => new(_state, CampaignJson.Default.PromptPage, "page", limit, _metrics);

    private sealed class FakeState : IPersistentState<PackedState>
    {
        public PackedState State { get; set; } = new();

        public string? Etag => null;

        public bool RecordExists => Writes > 0;

        public int Writes { get; private set; }

        public Exception? Fail { get; set; }

        public Task ClearStateAsync() => throw new NotSupportedException();

        public Task ReadStateAsync() => Task.CompletedTask;

        public Task WriteStateAsync()
        {
            if (Fail is not null) return Task.FromException(Fail);
            Writes++;
            return Task.CompletedTask;
        }
    }
}
