using Silo.Cluster.Contracts;

namespace Silo.Cluster.Grains.State;

/// <summary>
/// Writes once for all that changed while the last write was under way. Whoever awaits <see cref="CommitAsync"/> knows
/// that what it changed before the call is stored. For use inside one (reentrant) grain: no locks, turns do not overlap.
/// </summary>
/// <remarks>
/// After a write that failed nobody knows what is stored. Nothing more is written then: the activation must end, and the
/// next one begins from what it reads.
/// </remarks>
/// <param name="write">Writes the whole state.</param>
/// <param name="lost">Ends the activation; called once, when a write has failed.</param>
/// <param name="gathers">Least time from one write to the next: changes that come meanwhile go together.</param>
/// <param name="time">The clock of that; needed only with <paramref name="gathers"/>.</param>
internal sealed class GroupCommit(Func<Task> write, Action lost, Func<TimeSpan>? gathers = null, TimeProvider? time = null)
{
    private long? _lastWrite;
    private Task _running = Task.CompletedTask;
    private Task? _next;
    private Exception? _ended;
    private bool _isGathering;

    /// <summary>Completes when a write that began after this call has succeeded; fails as that write fails.</summary>
    public Task CommitAsync()
    {
        if (_next is not null) return _next;
        // A write that has not begun takes along what changes until it does.
        if (_isGathering) return _running;
        return _running.IsCompleted ? _running = WriteAsync() : _next = AfterAsync(_running);
    }

    /// <summary>Completes when all that was changed so far is stored; starts nothing.</summary>
    public Task PendingAsync() => _next ?? _running;

    /// <summary>Waits for what is under way, however it ends, and lets nothing follow: the activation is over.</summary>
    public async Task CloseAsync()
    {
        await PendingAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _ended ??= new StateNotStoredException("the activation is over");
    }

    private async Task AfterAsync(Task before)
    {
        // How the write before this one ended concerns those who await it.
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _running = _next!;
        _next = null;
        await WriteAsync();
    }

    private async Task WriteAsync()
    {
        // Whatever else this turn and those that wait already have changed goes with it.
        _isGathering = true;
        await Task.Yield();
        if (gathers is not null && _lastWrite is { } last && gathers() - time!.GetElapsedTime(last) is var wait && wait > TimeSpan.Zero) await Task.Delay(wait, time);
        _isGathering = false;
        if (_ended is not null) throw _ended;
        try
        {
            await write();
            _lastWrite = time?.GetTimestamp();
        }
        catch (Exception e)
        {
            _ended = e;
            lost();
            throw;
        }
    }
}
