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

    // The halves of a batch that the device had no memory for: they begin again, each in a batch of its own.
    private readonly Queue<(GenerationJob Job, int Row)[]> _again = [];
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
        var prompt = _model.Tokenizer.EncodePrompt(request.Prompt);
        if (prompt.Length == 0) throw new SiloException("the prompt is empty, and the model has no token to begin a text with");
        var room = _model.Info.ContextLength - prompt.Length;
        if (room < 1) throw new SiloException($"the prompt has {prompt.Length} tokens, which leaves no room in the context of {_model.Info.ContextLength}");
        return new GenerationJob(request, prompt, Math.Min(request.MaxTokens, room), onResult);
    }

    private async Task RunAsync()
    {
        ISequenceBatch? batch = null;
        var workers = Enumerable.Range(0, _model.Threads).Select(_ => new TokenWorker(_model.Info.VocabularySize)).ToArray();
        var (slots, done, features) = (new List<GenerationSlot>(), new List<GenerationSlot>(), Task.CompletedTask);
        try
        {
            while (slots.Count > 0 || _again.Count > 0 || await _queue.Reader.WaitToReadAsync(_abandoned.Token).ConfigureAwait(false))
            {
                _abandoned.Token.ThrowIfCancellationRequested();
                try
                {
                    batch ??= _model.CreateBatch(new BatchOptions { RowLimit = _options.RowLimit, CacheBytes = _options.CacheBytes });
                    if (!batch.RowsMayJoin && slots.Count == 0 && _again.Count == 0) await GatherAsync(batch.RowLimit).ConfigureAwait(false);
                    var start = Stopwatch.GetTimestamp();
                    Drop(slots, batch);
                    if (slots.Count == 0 && _again.TryDequeue(out var half)) Rejoin(half, slots, batch);
                    else if (batch.RowsMayJoin || slots.Count == 0) Join(slots, batch);
                    var rows = slots.Count;
                    var joined = Stopwatch.GetTimestamp();
                    features = Draw(slots, batch, workers);
                    Leave(slots, done, batch);
                    var ownTime = Stopwatch.GetElapsedTime(joined);
                    Step(slots, batch);
                    var stepped = Stopwatch.GetTimestamp();
                    await features.ConfigureAwait(false);
                    Finish(done);
                    EngineMetrics.Round(slots.Count, batch.RowLimit, Stopwatch.GetElapsedTime(start), ownTime + Stopwatch.GetElapsedTime(stepped));
                    TellCache(batch.CacheBytes);
                    if (slots.Count > 0 || batch.RowsMayJoin) continue;
                    batch.Dispose();
                    batch = null;
                    TellCache(0);
                    // Another batch of the model's has the memory that the next request needs.
                    if (rows == 0 && _queue.Reader.TryPeek(out _)) await Task.Delay(20, _abandoned.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // The batch may be in any state: its rows fail, or begin again, and the engine goes on with a new one, when nothing reads the old.
                    await features.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    if (slots.Count == 0 && done.Count == 0 && _queue.Reader.TryRead(out var next)) next.Fail(e);
                    // What ended before the step that had no memory is whole.
                    if (e is DeviceMemoryException && features.IsCompletedSuccessfully) Finish(done);
                    foreach (var slot in done) slot.Job.Fail(e);
                    if (e is not DeviceMemoryException || !TryHalve(slots))
                        foreach (var slot in slots) slot.Job.Fail(e);
                    slots.Clear();
                    done.Clear();
                    batch?.Dispose();
                    batch = null;
                    TellCache(0);
                }
            }
        }
        catch (OperationCanceledException)
        {
            foreach (var slot in slots) slot.Job.Cancel(_abandoned.Token);
            foreach (var (job, _) in _again.SelectMany(half => half)) job.Cancel(_abandoned.Token);
            while (_queue.Reader.TryRead(out var job)) job.Cancel(_abandoned.Token);
        }
        finally
        {
            batch?.Dispose();
            TellCache(0);
        }
    }

    /// <summary>
    /// Waits a little for as long as requests keep coming: who comes after a batch has begun that rows cannot join waits for its end, and those that
    /// one batch answers come again together.
    /// </summary>
    private async Task GatherAsync(int enough)
    {
        var seen = 0;
        for (var times = 0; times < 10 && _queue.Reader.Count > seen && _queue.Reader.Count < enough; times++)
        {
            seen = _queue.Reader.Count;
            await Task.Delay(10, _abandoned.Token).ConfigureAwait(false);
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

    /// <summary>Halves the rows of a batch that the device had no memory for, once: their texts begin anew. False where they have been halved before.</summary>
    private bool TryHalve(List<GenerationSlot> slots)
    {
        var rows = slots.Where(slot => !slot.Job.IsOver).Select(slot => (slot.Job, slot.Index)).ToArray();
        if (rows.Length < 2 || slots.Exists(slot => slot.Again)) return false;
        foreach (var half in rows.Chunk((rows.Length + 1) / 2)) _again.Enqueue(half);
        return true;
    }

    /// <summary>Gives places to half of the rows of a batch that was too large.</summary>
    private void Rejoin((GenerationJob Job, int Row)[] half, List<GenerationSlot> slots, ISequenceBatch batch)
    {
        foreach (var rows in half.Where(row => !row.Job.IsOver).GroupBy(row => row.Job, row => row.Row))
        {
            var indexes = rows.ToArray();
            var handles = new int[indexes.Length];
            if (!batch.TryAdd(rows.Key.Prompt, rows.Key.MaxTokens, handles)) throw new DeviceMemoryException("half of a batch that did not fit does not fit either");
            for (var i = 0; i < handles.Length; i++) slots.Add(new GenerationSlot(rows.Key, indexes[i], handles[i], _model.Tokenizer, _options.Features) { Again = true });
        }
    }

    /// <summary>
    /// Draws every row's next token, shared among the threads, and reduces the logits to features: at once, or, where a step leaves them as they are,
    /// while it runs; that is over when the task is.
    /// </summary>
    private static Task Draw(List<GenerationSlot> slots, ISequenceBatch batch, TokenWorker[] workers)
    {
        if (slots.Count == 0) return Task.CompletedTask;
        var parts = Math.Min(workers.Length, slots.Count);
        void Share(Action<int> part)
        {
            if (parts == 1) part(0);
            else Parallel.For(0, parts, part);
        }
        // Asked for first by one thread alone: a batch may only now be read.
        var outlives = batch.KeptLogits(slots[0].Handle) is not null;
        Share(part =>
        {
            for (var i = part; i < slots.Count; i += parts)
            {
                var logits = batch.Logits(slots[i].Handle);
                slots[i].Draw(logits, workers[part]);
                if (!outlives) slots[i].Reduce(logits, workers[part]);
            }
        });
        if (!outlives) return Task.CompletedTask;
        var kept = slots.Select(slot => (Slot: slot, Logits: batch.KeptLogits(slot.Handle)!.Value)).ToArray();
        return Task.Run(() => Share(part =>
        {
            for (var i = part; i < kept.Length; i += parts) kept[i].Slot.Reduce(kept[i].Logits.Span, workers[part]);
        }));
    }

    /// <summary>Takes out the rows that are over.</summary>
    private static void Leave(List<GenerationSlot> slots, List<GenerationSlot> done, ISequenceBatch batch) => slots.RemoveAll(slot =>
    {
        if (slot.Fault is null && slot.Finish is null) return false;
        batch.Remove(slot.Handle);
        done.Add(slot);
        return true;
    });

    /// <summary>Tells who waits for them how they ended.</summary>
    private void Finish(List<GenerationSlot> done)
    {
        foreach (var slot in done)
        {
            if (slot.Fault is { } fault) slot.Job.Fail(fault);
            else if (!slot.Job.IsOver) slot.Job.Finish(slot.Index, slot.Result(Fingerprint));
        }
        done.Clear();
    }

    private static void Step(List<GenerationSlot> slots, ISequenceBatch batch)
    {
        if (slots.Count == 0) return;
        var (rows, tokens) = (new int[slots.Count], new int[slots.Count]);
        for (var i = 0; i < slots.Count; i++) (rows[i], tokens[i]) = (slots[i].Handle, slots[i].Token);
        batch.Step(rows, tokens);
    }
}
