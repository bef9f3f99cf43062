using Silo.Experiments.Generation;

namespace Silo.Cluster.Tests.Fixtures;

/// <summary>Lets so many calls of engines pass, and the others when it is opened: how far a campaign comes is no matter of time.</summary>
internal sealed class Gate(int free)
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;

    public IGenerationEngine Engine() => new ToyEngine { Before = (_, _, cancelled) => PassAsync(cancelled) };

    public Task PassAsync(CancellationToken cancelled) => Interlocked.Increment(ref _calls) > free ? _open.Task.WaitAsync(cancelled) : Task.CompletedTask;

    public void Open() => _open.TrySetResult();
}
