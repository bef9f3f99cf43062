using System.Diagnostics;
using System.Numerics.Tensors;
using System.Text.Json.Serialization;
using Silo.Core.Features;
using Silo.Core.Numerics;
using Silo.Experiments.Generation;
using Silo.Models;
using Silo.Models.Gguf;

namespace Silo.Cli.Bench;

/// <summary>What <c>silo bench decode</c> measures. Speeds are the best of rounds in which all cases take turns (whatever else the machine does can only slow them).</summary>
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
        var seconds = names.ToDictionary(name => name, _ => new List<double>());
        var (large, small) = (new float[bytes / 4 / 2], new float[2048]);
        for (var round = -1; round < rounds; round++)
        {
            // In turn, so that whatever else the machine does meets all of them alike.
            foreach (var name in names)
            {
                var start = Stopwatch.GetTimestamp();
                if (name == "bytes") Repeat(threads, 20, large);
                else if (name == "multiplications") Repeat(threads, 20_000, small);
                else Decode(model, int.Parse(name.Split(' ')[0]), tokens, features: name.Contains(' '));
                if (round >= 0) seconds[name].Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }
        double Least(string name) => seconds[name].Min();
        double Rate(string name, int rows) => rows * tokens / Least(name);
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
            FeatureShare = Math.Max(0, 1 - Least("32") / Least("32 with features")),
            BatchGain = Rate("32", 32) / Rate("1", 1),
            BytesPerSecond1 = Rate("1", 1) * bytes,
            PlainLoopBytesPerSecond = threads * 20.0 * 2 * large.Length * sizeof(float) / Least("bytes"),
            MultiplicationsPerSecond32 = Rate("32", 32) * matrices,
            PlainLoopMultiplicationsPerSecond = threads * 20_000.0 * small.Length / Least("multiplications"),
        };
    }

    /// <summary>Generates; the time includes reading the prompt (one token).</summary>
    private static void Decode(ILanguageModel model, int rows, int tokens, bool features)
    {
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
        for (; step < tokens; step++)
        {
            if (parts == 1) Part(0);
            else Parallel.For(0, parts, Part);
            batch.Step(handles, next);
        }
    }

    /// <summary>The plain loop: a dot product of the array with itself, shifted so that two streams are read.</summary>
    private static void Repeat(int threads, int times, float[] values)
    {
        var other = new float[values.Length];
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ =>
        {
            var sum = 0f;
            for (var i = 0; i < times; i++) sum += TensorPrimitives.Dot<float>(values, other);
            GC.KeepAlive(sum);
        });
    }
}
