using Silo.Cluster.Contracts;
using Silo.Cluster.Grains.State;

namespace Silo.Cluster.Tests.State;

public class GroupCommitTests
{
    // Grains run turn by turn; so does this.
    private readonly ConcurrentExclusiveSchedulerPair turns = new();

    [Fact]
    public Task All_that_changed_while_a_write_was_under_way_goes_into_the_next_one() => OnGrainAsync(async () =>
    {
        var (value, stored, writes) = (0, 0, 0);
        var gate = new TaskCompletionSource();
        var commit = new GroupCommit(async () =>
        {
            var writing = value;
            if (++writes == 1) await gate.Task;
            stored = writing;
        }, () => Assert.Fail("nothing was lost"));
        value = 1;
        var first = commit.CommitAsync();
        await Task.Delay(20);
        var later = new List<Task>();
        for (value = 2; value < 50; value++) later.Add(commit.CommitAsync());
        Assert.DoesNotContain(later, task => task.IsCompleted);
        gate.SetResult();
        await first;
        await Task.WhenAll(later);
        Assert.Equal((50, 2), (stored, writes));
        await commit.PendingAsync();
        Assert.Equal(2, writes);
    });

    [Fact]
    public Task After_a_write_that_failed_nothing_more_is_written() => OnGrainAsync(async () =>
    {
        var (writes, lost) = (0, 0);
        var commit = new GroupCommit(async () =>
        {
            writes++;
            await Task.Yield();
            throw new StateNotStoredException("the disk is full");
        }, () => lost++);
        var first = commit.CommitAsync();
        await Task.Yield();
        var second = commit.CommitAsync();
        foreach (var task in (Task[])[first, second, commit.CommitAsync()])
            Assert.Equal("the disk is full", (await Assert.ThrowsAsync<StateNotStoredException>(() => task)).Message);
        await Assert.ThrowsAsync<StateNotStoredException>(commit.CommitAsync);
        Assert.Equal((1, 1), (writes, lost));
    });

    [Fact]
    public Task A_closed_one_waits_for_what_is_under_way_and_writes_no_more() => OnGrainAsync(async () =>
    {
        var writes = 0;
        var commit = new GroupCommit(async () =>
        {
            await Task.Delay(30);
            writes++;
        }, () => Assert.Fail("nothing was lost"));
        var pending = commit.CommitAsync();
        await commit.CloseAsync();
        Assert.True(pending.IsCompletedSuccessfully);
        await Assert.ThrowsAsync<StateNotStoredException>(commit.CommitAsync);
        Assert.Equal(1, writes);
    });

    private Task OnGrainAsync(Func<Task> work) =>
        Task.Factory.StartNew(work, TestContext.Current.CancellationToken, TaskCreationOptions.None, turns.ExclusiveScheduler).Unwrap();
}
