using System.Diagnostics;
using Silo.Experiments.Generation;

namespace Silo.Models;

/// <summary>A request on its way: which of its rows have been started, which are done.</summary>
internal sealed class GenerationJob(GenerationRequest request, int[] prompt, int maxTokens, Action<GenerationResult>? onResult)
{
    private readonly TaskCompletionSource<IReadOnlyList<GenerationResult>> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly GenerationResult[] _results = new GenerationResult[request.Rows.Count];
    private readonly long _queued = Stopwatch.GetTimestamp();
    private int _done;

    public GenerationRequest Request { get; } = request;

    public int[] Prompt { get; } = prompt;

    /// <summary>Most tokens of a row, within the context.</summary>
    public int MaxTokens { get; } = maxTokens;

    /// <summary>Rows that have been given a place.</summary>
    public int Started { get; set; }

    /// <summary>Time until the first row got its place.</summary>
    public TimeSpan Waited { get; private set; }

    public bool AllStarted => Started == Request.Rows.Count;

    /// <summary>Whether nobody waits for it any more: done, failed or cancelled.</summary>
    public bool IsOver => _completion.Task.IsCompleted;

    public Task<IReadOnlyList<GenerationResult>> Task => _completion.Task;

    public void HasPlace()
    {
        Waited = Stopwatch.GetElapsedTime(_queued);
        EngineMetrics.Waited(Waited);
    }

    public void Finish(int row, GenerationResult result)
    {
        _results[row] = result;
        onResult?.Invoke(result);
        if (++_done == _results.Length) _completion.TrySetResult(_results);
    }

    public void Fail(Exception cause) => _completion.TrySetException(cause);

    public void Cancel(CancellationToken token) => _completion.TrySetCanceled(token);
}
