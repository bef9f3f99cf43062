using System.Diagnostics;
using System.Numerics.Tensors;
using System.Text.Json.Serialization;
using Silo.Core.Features;
using Silo.Core.Numerics;
using Silo.Experiments.Generation;
using Silo.Models;
using Silo.Models.Gguf;

namespace Silo.Cli.Bench;

/// <summary>
/// What <c>silo bench decode</c> measures. All cases take turns, round by round; of each step the quickest round counts, since whatever else the machine
/// does can only slow it.
/// </summary>
internal sealed record DecodeBenchResult
{
    public required string Model { get; init; }
    public required int Threads { get; init; }

    /// <summary>Tokens generated per row in a round, after the prompt.</summary>
    public required int Tokens { get; init; }
    public required int Rounds { get; init; }

    /// <summary>Forward pass and sampling at T = 1, without features.</summary>
    [JsonPropertyName("tokens_per_second_1")]
    public required double TokensPerSecond1 { get; init; }
    [JsonPropertyName("tokens_per_second_8")]
    public required double TokensPerSecond8 { get; init; }
    [JsonPropertyName("tokens_per_second_32")]
    public required double TokensPerSecond32 { get; init; }

    /// <summary>32 rows with full and captured features (K = 200) at one temperature.</summary>
    [JsonPropertyName("tokens_per_second_32_with_features")]
    public required double TokensPerSecond32WithFeatures { get; init; }

    /// <summary>Share of the time that features take in that.</summary>
    public required double FeatureShare { get; init; }

    /// <summary>Tokens per second of 32 rows over those of one.</summary>
    public required double BatchGain { get; init; }

    /// <summary>Bytes of weights that one row reads per second, beside a plain loop (a dot product of float32) over as many bytes.</summary>
    [JsonPropertyName("bytes_per_second_1")]
    public required double BytesPerSecond1 { get; init; }
    public required double PlainLoopBytesPerSecond { get; init; }

    /// <summary>Multiplications with weights per second of 32 rows, beside a plain loop (the same) within the first-level cache.</summary>
    [JsonPropertyName("multiplications_per_second_32")]
    public required double MultiplicationsPerSecond32 { get; init; }
    public required double PlainLoopMultiplicationsPerSecond { get; init; }
}

/// <summary>Decoding speed of a model on this machine.</summary>
internal static class DecodeBench
{
    private const int Tokens = 256;
    private const int CaptureK = 200;

    /// <summary>Measures a GGUF model.</summary>
    /// <param name="path">The file.</param>
    /// <param name="threads">Threads to use.</param>
    /// <param name="rounds">Rounds, after one that warms up.</param>
    public static DecodeBenchResult Run(string path, int threads = 1, int rounds = 7)
    {
        long bytes, matrices;
        using (var file = GgufFile.Open(path))
            (bytes, matrices) = (file.Tensors.Values.Sum(t => t.Bytes), file.Tensors.Values.Where(t => t.Dimensions.Count > 1).Sum(t => t.Count));
        using var model = LanguageModels.Open(path, new ModelOptions { Threads = threads });
        var tokens = Math.Min(Tokens, model.Info.ContextLength - 8);
        var names = new[] { "1", "8", "32", "32 with features", "bytes", "multiplications" };
        var quickest = names.ToDictionary(name => name, _ => new double[Steps(tokens)]);
        var (large, small) = (new float[bytes / 4 / 2], new float[2048]);
        for (var round = -1; round < rounds; round++)
        {
            foreach (var name in names)
            {
                var seconds = new double[Steps(tokens)];
                if (name == "bytes") Repeat(threads, 1, large, seconds);
                else if (name == "multiplications") Repeat(threads, 100, small, seconds);
                else Decode(model, int.Parse(name.Split(' ')[0]), features: name.Contains(' '), seconds);
                // The first round warms up.
                for (var i = 0; i < seconds.Length; i++) quickest[name][i] = round <= 0 ? seconds[i] : Math.Min(quickest[name][i], seconds[i]);
            }
        }
        double Seconds(string name) => quickest[name].Sum();
        double Rate(string name, int rows) => rows * tokens / Seconds(name);
        return new DecodeBenchResult
        {
            Model = model.Info.Name,
            Threads = threads,
            Tokens = tokens,
            Rounds = rounds,
            TokensPerSecond1 = Rate("1", 1),
            TokensPerSecond8 = Rate("8", 8),
            TokensPerSecond32 = Rate("32", 32),
            TokensPerSecond32WithFeatures = Rate("32 with features", 32),
            FeatureShare = Math.Max(0, 1 - Seconds("32") / Seconds("32 with features")),
            BatchGain = Rate("32", 32) / Rate("1", 1),
            BytesPerSecond1 = Rate("1", 1) * bytes,
            PlainLoopBytesPerSecond = threads * (double)Steps(tokens) * 2 * large.Length * sizeof(float) / Seconds("bytes"),
            MultiplicationsPerSecond32 = Rate("32", 32) * matrices,
            PlainLoopMultiplicationsPerSecond = threads * (double)Steps(tokens) * 100 * small.Length / Seconds("multiplications"),
        };
    }

    // Opening the batch and reading the prompt (one token) are a step of their own.
    private static int Steps(int tokens) => tokens + 1;

    /// <summary>Generates, and notes the seconds of each step.</summary>
    private static void Decode(ILanguageModel model, int rows, bool features, double[] seconds)
    {
        var start = Stopwatch.GetTimestamp();
        var tokens = seconds.Length - 1;
        using var batch = model.CreateBatch(new BatchOptions { RowLimit = rows });
        var parts = Math.Min(model.Threads, rows);
        var workers = Enumerable.Range(0, parts).Select(_ => new Sampler(model.Info.VocabularySize)).ToArray();
        var kernels = Enumerable.Range(0, features ? parts : 0).Select(_ => new FeatureKernel(model.Info.VocabularySize, CaptureK)).ToArray();
        var streams = Enumerable.Range(0, rows).Select(row => CounterRandom.Create(7, $"bench/{row}")).ToArray();
        var (handles, next) = (new int[rows], new int[rows]);
        batch.TryAdd([model.Tokenizer.Bos ?? 0], tokens, handles);
        var options = new SamplerOptions();
        var step = 0;
        void Part(int part)
        {
            Span<double> full = stackalloc double[TokenFeatures.FullCount], captured = stackalloc double[TokenFeatures.CapturedCount];
            for (var i = part; i < rows; i += parts)
            {
                var logits = batch.Logits(handles[i]);
                next[i] = workers[part].Sample(logits, 1, options, streams[i].UniformAt((ulong)step));
                if (features) kernels[part].Compute(logits, [1.0], next[i], full, captured);
            }
        }
        seconds[tokens] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        for (; step < tokens; step++)
        {
            start = Stopwatch.GetTimestamp();
            if (parts == 1) Part(0);
            else Parallel.For(0, parts, Part);
            batch.Step(handles, next);
            seconds[step] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    /// <summary>The plain loop: dot products of two arrays, so many times per step.</summary>
    private static void Repeat(int threads, int times, float[] values, double[] seconds)
    {
        var other = new float[values.Length];
        for (var step = 0; step < seconds.Length; step++)
        {
            var start = Stopwatch.GetTimestamp();
            if (threads == 1) Dot(times, values, other);
            else Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ => Dot(times, values, other));
            seconds[step] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    private static void Dot(int times, float[] values, float[] other)
    {
        var sum = 0f;
        for (var i = 0; i < times; i++) sum += TensorPrimitives.Dot<float>(values, other);
        GC.KeepAlive(sum);
    }
}
