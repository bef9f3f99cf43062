using System.Diagnostics;
using System.Threading.Channels;
using Silo.Core;
using Silo.Experiments.Generation;

namespace Silo.Models;

/// <summary>
/// Makes texts with one model: rows of all requests, of any prompt and temperature, step together; a finished row leaves, the next joins. Each
/// row's tokens and features depend on its own request alone.
/// </summary>
public sealed class GenerationEngine : IGenerationEngine, IAsyncDisposable
{
    private readonly ILanguageModel _model;
    private readonly GenerationEngineOptions _options;
    private readonly Channel<GenerationJob> _queue;
    private readonly CancellationTokenSource _abandoned = new();
    private readonly Task _loop;
    private volatile bool _stopping;
    private long _cacheBytes;

    /// <summary>Starts the engine. The model stays the caller's, to be disposed after the engine.</summary>
    public GenerationEngine(ILanguageModel model, GenerationEngineOptions? options = null)
    {
        (_model, _options) = (model, options ?? new GenerationEngineOptions());
        _queue = Channel.CreateBounded<GenerationJob>(new BoundedChannelOptions(_options.QueueLimit) { SingleReader = true });
        _loop = Task.Run(RunAsync);
    }

    /// <inheritdoc/>
    public string Fingerprint => _model.Info.Fingerprint;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<GenerationResult>> GenerateAsync(
        GenerationRequest request, Action<GenerationResult>? onResult, CancellationToken cancellationToken)
    {
        var job = Accept(request, onResult);
        cancellationToken.ThrowIfCancellationRequested();
        using var activity = EngineMetrics.Activities.StartActivity("generate");
        if (!_queue.Writer.TryWrite(job))
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            throw new EngineBusyException();
        }
        await using (cancellationToken.Register(() => job.Cancel(cancellationToken)).ConfigureAwait(false))
        {
            var results = await job.Task.ConfigureAwait(false);
            activity?.SetTag("silo.rows", results.Count);
            activity?.SetTag("silo.tokens", results.Sum(result => result.Tokens.Length));
            activity?.SetTag("silo.queue.seconds", job.Waited.TotalSeconds);
            return results;
        }
    }

    /// <summary>Takes no more requests, and completes when those it has are done.</summary>
    public async Task StopAsync()
    {
        _stopping = true;
        _queue.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
    }

    /// <summary>Takes no more requests, cancels those it has, and completes when the engine is at rest.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        _queue.Writer.TryComplete();
        if (!_loop.IsCompleted) await _abandoned.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _abandoned.Dispose();
    }

    private GenerationJob Accept(GenerationRequest request, Action<GenerationResult>? onResult)
    {
        if (request.Rows.Count == 0) throw new ArgumentException("a request without rows", nameof(request));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.MaxTokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.CaptureK);
        Sampler.Check(request.Sampler);
        var prompt = _model.Tokenizer.Encode(request.Prompt);
        if (prompt.Length == 0) throw new SiloException("the prompt is empty, and the model has no token to begin a text with");
        var room = _model.Info.ContextLength - prompt.Length;
        if (room < 1) throw new SiloException($"the prompt has {prompt.Length} tokens, which leaves no room in the context of {_model.Info.ContextLength}");
        return new GenerationJob(request, prompt, Math.Min(request.MaxTokens, room), onResult);
    }

    private async Task RunAsync()
    {
        ISequenceBatch? batch = null;
        var workers = Enumerable.Range(0, _model.Threads).Select(_ => new TokenWorker(_model.Info.VocabularySize)).ToArray();
        var slots = new List<GenerationSlot>();
        try
        {
            while (slots.Count > 0 || await _queue.Reader.WaitToReadAsync(_abandoned.Token).ConfigureAwait(false))
            {
                _abandoned.Token.ThrowIfCancellationRequested();
                try
                {
                    batch ??= _model.CreateBatch(new BatchOptions { RowLimit = _options.RowLimit, CacheBytes = _options.CacheBytes });
                    var start = Stopwatch.GetTimestamp();
                    Drop(slots, batch);
                    if (batch.RowsMayJoin || slots.Count == 0) Join(slots, batch);
                    var joined = Stopwatch.GetTimestamp();
                    Advance(slots, batch, workers);
                    var features = Stopwatch.GetElapsedTime(joined);
                    Step(slots, batch);
                    EngineMetrics.Round(slots.Count, batch.RowLimit, Stopwatch.GetElapsedTime(start), features);
                    TellCache(batch.CacheBytes);
                    if (slots.Count > 0 || batch.RowsMayJoin) continue;
                    batch.Dispose();
                    batch = null;
                    TellCache(0);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // The batch may be in any state: its rows fail, the engine goes on with a new one.
                    if (slots.Count == 0 && _queue.Reader.TryRead(out var next)) next.Fail(e);
                    foreach (var slot in slots) slot.Job.Fail(e);
                    slots.Clear();
                    batch?.Dispose();
                    batch = null;
                    TellCache(0);
                }
            }
        }
        catch (OperationCanceledException)
        {
            foreach (var slot in slots) slot.Job.Cancel(_abandoned.Token);
            while (_queue.Reader.TryRead(out var job)) job.Cancel(_abandoned.Token);
        }
        finally
        {
            batch?.Dispose();
            TellCache(0);
        }
    }

    private void TellCache(long bytes)
    {
        EngineMetrics.CacheChanged(bytes - _cacheBytes);
        _cacheBytes = bytes;
    }

    /// <summary>Takes out the rows that nobody waits for any more.</summary>
    private static void Drop(List<GenerationSlot> slots, ISequenceBatch batch) => slots.RemoveAll(slot =>
    {
        if (slot.Job.IsOver) batch.Remove(slot.Handle);
        return slot.Job.IsOver;
    });

    /// <summary>Gives places to waiting rows, in the order in which they were asked for.</summary>
    private void Join(List<GenerationSlot> slots, ISequenceBatch batch)
    {
        while (_queue.Reader.TryPeek(out var job))
        {
            if (!job.IsOver && !TryJoin(job, slots, batch)) return;
            _queue.Reader.TryRead(out _);
        }
    }

    /// <summary>Whether all rows of the job have places now.</summary>
    private bool TryJoin(GenerationJob job, List<GenerationSlot> slots, ISequenceBatch batch)
    {
        while (!job.AllStarted)
        {
            // A prompt is read once for the rows that join together, so they wait until a good number may.
            var wanted = Math.Min(job.Request.Rows.Count - job.Started, batch.RowLimit);
            var count = Math.Min(wanted, batch.RowLimit - batch.Rows);
            if (count == 0 || (count < wanted && count < batch.RowLimit / 4)) return false;
            var handles = new int[count];
            try
            {
                while (!batch.TryAdd(job.Prompt, job.MaxTokens, handles))
                {
                    if (batch.Rows > 0 || handles.Length == 1) return false;
                    handles = new int[handles.Length / 2];
                }
            }
            catch (SiloException e)
            {
                job.Fail(e);
                return true;
            }
            if (job.Started == 0) job.HasPlace();
            foreach (var handle in handles) slots.Add(new GenerationSlot(job, job.Started++, handle, _model.Tokenizer, _options.Features));
        }
        return true;
    }

    /// <summary>Draws every row's next token, shared among the threads; finished rows leave.</summary>
    private void Advance(List<GenerationSlot> slots, ISequenceBatch batch, TokenWorker[] workers)
    {
        var parts = Math.Min(workers.Length, slots.Count);
        void Part(int part)
        {
            for (var i = part; i < slots.Count; i += parts) slots[i].Advance(batch.Logits(slots[i].Handle), workers[part]);
        }
        if (parts == 1) Part(0);
        else if (parts > 1) Parallel.For(0, parts, Part);
        slots.RemoveAll(slot =>
        {
            if (slot.Fault is { } fault) slot.Job.Fail(fault);
            else if (slot.Finish is not null && !slot.Job.IsOver) slot.Job.Finish(slot.Index, slot.Result(Fingerprint));
            var leaves = slot.Fault is not null || slot.Finish is not null;
            if (leaves) batch.Remove(slot.Handle);
            return leaves;
        });
    }

    private static void Step(List<GenerationSlot> slots, ISequenceBatch batch)
    {
        if (slots.Count == 0) return;
        var (rows, tokens) = (new int[slots.Count], new int[slots.Count]);
        for (var i = 0; i < slots.Count; i++) (rows[i], tokens[i]) = (slots[i].Handle, slots[i].Token);
        batch.Step(rows, tokens);
    }
}
