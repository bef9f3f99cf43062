using System.Diagnostics;
using Silo.Core;
using Silo.Experiments.Generation;
using Silo.Models.OnnxGenAI;

namespace Silo.Models;

/// <summary>How fast a model makes texts of so many rows at once. Seconds, unless named otherwise.</summary>
public sealed record EngineTiming
{
    /// <summary>Rows that step together.</summary>
    public required int Rows { get; init; }

    /// <summary>A step without features: forward pass, logits, sampling.</summary>
    public required double Step { get; init; }

    /// <summary>A step with full and captured features (K = 200) at one temperature.</summary>
    public required double StepWithFeatures { get; init; }

    /// <summary>The same at three: the text's own and two reference temperatures.</summary>
    public required double StepWithThree { get; init; }

    /// <summary>Bytes that a step copies between the runtime and us, both ways; 0 where the logits are ours.</summary>
    public required long CopiedBytes { get; init; }

    /// <summary>What these copies take, or null where there are none.</summary>
    public double? Copies { get; init; }

    /// <summary>Sampling of all rows from the whole vocabulary, on one thread.</summary>
    public double? OwnSampling { get; init; }

    /// <summary>The same by ONNX Runtime GenAI itself, with top_k = 0 and top_p = 1.</summary>
    public double? RuntimeSampling { get; init; }

    /// <summary>Tokens a second, without features.</summary>
    public double TokensPerSecond => Rows / Step;
}

/// <summary>Speed of a model's engine on this machine, as texts are really made: by <see cref="GenerationEngine"/>.</summary>
public static class EngineBenchmark
{
    /// <summary>Measures 1, 8 and 32 rows. All cases take turns, round by round.</summary>
    /// <param name="model">The model.</param>
    /// <param name="steps">Steps of each text, after the first.</param>
    /// <param name="rounds">Rounds, after one that warms up; of each step the quickest counts, since whatever else the machine does can only slow it.</param>
    /// <exception cref="SiloException">The model's context is too short.</exception>
    public static IReadOnlyList<EngineTiming> Run(ILanguageModel model, int steps, int rounds)
    {
        if (model.Info.ContextLength < steps + 8) throw new SiloException($"{model.Info.Name}: the context of {model.Info.ContextLength} is too short for {steps} steps");
        int[] sizes = [1, 8, 32];
        // Per number of rows: without features, with one temperature, with three.
        var quickest = sizes.Select(_ => Enumerable.Range(0, 3).Select(_ => Enumerable.Repeat(double.MaxValue, steps).ToArray()).ToArray()).ToArray();
        for (var round = -1; round < rounds; round++)
            for (var size = 0; size < sizes.Length; size++)
                for (var kind = 0; kind < 3; kind++)
                {
                    var seconds = Seconds(model, sizes[size], steps, kind > 0, kind > 1 ? [1.5, 0.3] : []);
                    for (var i = 0; i < steps && round >= 0; i++) quickest[size][kind][i] = Math.Min(quickest[size][kind][i], seconds[i]);
                }
        return [.. sizes.Select((rows, size) =>
        {
            var probe = model is GenAIModel genai ? GenAIProbe.Run(genai, rows, Math.Max(16, steps)) : null;
            return new EngineTiming
            {
                Rows = rows,
                Step = quickest[size][0].Average(),
                StepWithFeatures = quickest[size][1].Average(),
                StepWithThree = quickest[size][2].Average(),
                CopiedBytes = probe is null ? 0 : (rows > 1 ? 2L : 1L) * rows * model.Info.VocabularySize * sizeof(float),
                Copies = probe is null ? null : probe.CopyOut + (rows > 1 ? probe.CopyIn : 0),
                OwnSampling = probe?.OwnSampling,
                RuntimeSampling = probe?.RuntimeSampling,
            };
        })];
    }

    /// <summary>Makes texts, and returns the time from each step of the batch to the next: all that a step takes.</summary>
    private static double[] Seconds(ILanguageModel model, int rows, int steps, bool features, double[] references)
    {
        var endless = new Endless(model);
        var engine = new GenerationEngine(endless, new GenerationEngineOptions { RowLimit = rows, Features = features });
        var request = new GenerationRequest
        {
            Prompt = "a",
            MaxTokens = steps + 2,
            ReferenceTemperatures = references,
            Rows = [.. Enumerable.Range(0, rows).Select(sample => new GenerationKey("bench", 1, sample)).Select(key => new GenerationRow(key, key.StreamKey("bench", 7)))],
        };
        engine.GenerateAsync(request, null, CancellationToken.None).GetAwaiter().GetResult();
        engine.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return [.. endless.Stamps.Zip(endless.Stamps.Skip(1), (from, to) => Stopwatch.GetElapsedTime(from, to).TotalSeconds)];
    }

    /// <summary>The model without an end of text, so that all rows take all steps.</summary>
    private sealed class Endless(ILanguageModel model) : ILanguageModel, ITokenizer
    {
        /// <summary>When each step began.</summary>
        public List<long> Stamps { get; } = [];

        public ModelInfo Info => model.Info;

        public ITokenizer Tokenizer => this;

        public int Threads => model.Threads;

        public int VocabularySize => model.Tokenizer.VocabularySize;

        public int? Bos => model.Tokenizer.Bos;

        public IReadOnlyList<int> EndOfText => [];

        public ISequenceBatch CreateBatch(BatchOptions options) => new OnwardBatch(model.CreateBatch(options), model.Tokenizer.EndOfText, Stamps);

        public int[] Encode(string text) => model.Tokenizer.Encode(text);

        public int[] EncodeContinuation(string text) => model.Tokenizer.EncodeContinuation(text);

        public string Decode(ReadOnlySpan<int> ids) => model.Tokenizer.Decode(ids);

        public string DecodeContinuation(ReadOnlySpan<int> ids) => model.Tokenizer.DecodeContinuation(ids);

        public ReadOnlySpan<byte> Bytes(int id) => model.Tokenizer.Bytes(id);

        public void Dispose() { }
    }

    /// <summary>A batch in which a row goes on after an end of text, as if another token had been drawn.</summary>
    private sealed class OnwardBatch(ISequenceBatch batch, IReadOnlyList<int> ends, List<long> stamps) : ISequenceBatch
    {
        private readonly int _other = Enumerable.Range(0, ends.Count + 1).First(id => !ends.Contains(id));

        public int RowLimit => batch.RowLimit;

        public int Rows => batch.Rows;

        public bool RowsMayJoin => batch.RowsMayJoin;

        public long CacheBytes => batch.CacheBytes;

        public bool TryAdd(ReadOnlySpan<int> prompt, int maxTokens, Span<int> rows) => batch.TryAdd(prompt, maxTokens, rows);

        public void Step(ReadOnlySpan<int> rows, ReadOnlySpan<int> tokens)
        {
            stamps.Add(Stopwatch.GetTimestamp());
            Span<int> next = stackalloc int[tokens.Length];
            for (var i = 0; i < tokens.Length; i++) next[i] = ends.Contains(tokens[i]) ? _other : tokens[i];
            batch.Step(rows, next);
        }

        public void Extend(int row, ReadOnlySpan<int> tokens, Span<float> logits) => batch.Extend(row, tokens, logits);

        public ReadOnlySpan<float> Logits(int row) => batch.Logits(row);

        public ReadOnlyMemory<float>? KeptLogits(int row) => batch.KeptLogits(row);

        public ReadOnlySpan<float> HiddenStates(int row) => batch.HiddenStates(row);

        public void Remove(int row) => batch.Remove(row);

        public void Dispose() => batch.Dispose();
    }
}
