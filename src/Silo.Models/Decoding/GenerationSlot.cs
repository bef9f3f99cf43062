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

    /// <summary>The token drawn last.</summary>
    public int Token => _tokens[^1];

    /// <summary>Why the text is over, or null while it is not.</summary>
    public FinishReason? Finish { get; private set; }

    /// <summary>What went wrong with this row.</summary>
    public SiloException? Fault { get; private set; }

    /// <summary>Draws the next token from its logits and reduces them to features. Slots may do this at the same time.</summary>
    public void Advance(ReadOnlySpan<float> logits, TokenWorker worker)
    {
        try
        {
            var step = _tokens.Count;
            var token = worker.Sampler.Sample(logits, _row.Key.Temperature, Job.Request.Sampler, _random.UniformAt((ulong)step));
            if (_tokenizer.EndOfText.Contains(token))
            {
                Finish = FinishReason.Stop;
                return;
            }
            _trace?.Reserve(step + 1);
            _trace?.Compute(step, logits, token, worker);
            _tokens.Add(token);
            if (_tokens.Count == Job.MaxTokens) Finish = FinishReason.Length;
        }
        catch (SiloException e)
        {
            Fault = new SiloException($"{_row.Key}: step {_tokens.Count}: {e.Message}", e);
        }
    }

    public GenerationResult Result(string engine)
    {
        var tokens = _tokens.ToArray();
        var trace = _trace?.Build(tokens.Length) ?? new TokenTrace(0, [], [], []);
        return new GenerationResult(_row.Key, tokens, _tokenizer.DecodeContinuation(tokens), Finish!.Value, trace, engine);
    }
}
