using Silo.Core;
using Silo.Core.Numerics;
using Silo.Experiments.Generation;

namespace Silo.Models;

/// <summary>A row of the batch: one text in the making.</summary>
internal sealed class GenerationSlot
{
    private readonly ITokenizer _tokenizer;
    private readonly GenerationRow _row;
    private readonly CounterRandom _random;
    private readonly TraceBuilder? _trace;
    private readonly List<int> _tokens = [];
    private bool _reduces;

    public GenerationSlot(GenerationJob job, int index, int handle, ITokenizer tokenizer, bool features)
    {
        (Job, Index, Handle, _tokenizer) = (job, index, handle, tokenizer);
        _row = job.Request.Rows[index];
        _random = CounterRandom.Create(_row.StreamKey);
        if (features) _trace = new TraceBuilder(_row.Key.Temperature, job.Request.ReferenceTemperatures, job.Request.CaptureK, Math.Min(job.MaxTokens, 256));
    }

    public GenerationJob Job { get; }

    /// <summary>Which row of the job.</summary>
    public int Index { get; }

    /// <summary>Which row of the batch.</summary>
    public int Handle { get; }

    /// <summary>Whether the text begins for the second time, in half of a batch that was too large.</summary>
    public bool Again { get; init; }

    /// <summary>The token drawn last.</summary>
    public int Token => _tokens[^1];

    /// <summary>Why the text is over, or null while it is not.</summary>
    public FinishReason? Finish { get; private set; }

    /// <summary>What went wrong with this row.</summary>
    public SiloException? Fault { get; private set; }

    /// <summary>Draws the next token from its logits. Slots may do this at the same time.</summary>
    public void Draw(ReadOnlySpan<float> logits, TokenWorker worker)
    {
        _reduces = false;
        try
        {
            var token = worker.Sampler.Sample(logits, _row.Key.Temperature, Job.Request.Sampler, _random.UniformAt((ulong)_tokens.Count));
            if (_tokenizer.EndOfText.Contains(token))
            {
                Finish = FinishReason.Stop;
                return;
            }
            _tokens.Add(token);
            _reduces = true;
            if (_tokens.Count == Job.MaxTokens) Finish = FinishReason.Length;
        }
        catch (SiloException e)
        {
            Fail(_tokens.Count, e);
        }
    }

    /// <summary>Reduces the logits that the last token was drawn from to features. Slots may do this at the same time.</summary>
    public void Reduce(ReadOnlySpan<float> logits, TokenWorker worker)
    {
        if (!_reduces || _trace is null) return;
        try
        {
            _trace.Reserve(_tokens.Count);
            _trace.Compute(_tokens.Count - 1, logits, Token, worker);
        }
        catch (SiloException e)
        {
            Fail(_tokens.Count - 1, e);
        }
    }

    private void Fail(int step, SiloException e) => Fault = new SiloException($"{_row.Key}: step {step}: {e.Message}", e);

    public GenerationResult Result(string engine)
    {
        var tokens = _tokens.ToArray();
        var trace = _trace?.Build(tokens.Length) ?? new TokenTrace(0, [], [], []);
        return new GenerationResult(_row.Key, tokens, _tokenizer.DecodeContinuation(tokens), Finish!.Value, trace, engine);
    }
}
