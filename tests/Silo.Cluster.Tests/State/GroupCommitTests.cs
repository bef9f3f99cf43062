using Silo.Cluster.Contracts;
using Silo.Cluster.Grains.State;

namespace Silo.Cluster.Tests.State;

public class GroupCommitTests
{
    // Grains run turn by turn; so does this.
    private readonly ConcurrentExclusiveSchedulerPair _turns = new();

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

    [Fact]
    public Task One_that_gathers_writes_at_once_and_then_no_sooner_than_it_may() => OnGrainAsync(async () =>
    {
        var (clock, writes) = (new Clock(), 0);
        var commit = new GroupCommit(() => Task.FromResult(++writes), () => Assert.Fail("nothing was lost"), () => TimeSpan.FromSeconds(10), clock);
        await commit.CommitAsync();
        var (second, third) = (commit.CommitAsync(), commit.CommitAsync());
        await Task.Delay(30);
        Assert.Equal(1, writes);
        clock.Pass(TimeSpan.FromSeconds(9));
        await Task.Delay(30);
        Assert.Equal(1, writes);
        clock.Pass(TimeSpan.FromSeconds(1));
        await second;
        await third;
        Assert.Equal(2, writes);
        clock.Pass(TimeSpan.FromHours(1));
        await commit.CommitAsync();
        Assert.Equal(3, writes);
    });

    private Task OnGrainAsync(Func<Task> work) =>
        Task.Factory.StartNew(work, TestContext.Current.CancellationToken, TaskCreationOptions.None, _turns.ExclusiveScheduler).Unwrap();

    /// <summary>A clock that goes when it is told.</summary>
    private sealed class Clock : TimeProvider
    {
        private readonly List<Alarm> _alarms = [];
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Pass(TimeSpan time)
        {
            _now += time.Ticks;
            foreach (var alarm in _alarms.Where(a => a.At <= _now).ToArray())
            {
                _alarms.Remove(alarm);
                alarm.Ring();
            }
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var alarm = new Alarm(this, () => callback(state));
            alarm.Change(dueTime, period);
            return alarm;
        }

        private sealed class Alarm(Clock clock, Action ring) : ITimer
        {
            public long At { get; private set; }

            public void Ring() => ring();

            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                clock._alarms.Remove(this);
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    At = clock._now + dueTime.Ticks;
                    clock._alarms.Add(this);
                }
                return true;
            }

            public void Dispose() => clock._alarms.Remove(this);

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
