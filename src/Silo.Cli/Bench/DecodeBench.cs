using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
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

    /// <summary>Fused multiply-adds per second of vectors that never leave their registers: more, this machine cannot do.</summary>
    public required double PeakMultiplicationsPerSecond { get; init; }

    /// <summary>What no program could be faster than, 32 rows without features.</summary>
    [JsonPropertyName("floor_32")]
    public required DecodeFloor Floor32 { get; init; }
}

/// <summary>The least that a token takes, in microseconds, if all arithmetic ran at the machine's peak and nothing else took time.</summary>
internal sealed record DecodeFloor
{
    /// <summary>Products with the weight matrices.</summary>
    public required double Products { get; init; }

    /// <summary>Scores and weighted values, at the mean number of positions.</summary>
    public required double Attention { get; init; }

    /// <summary>Exponentials of attention, SwiGLU (ten multiply-adds each) and, in float64, of sampling (seventeen, in half as many lanes).</summary>
    public required double Exponentials { get; init; }

    /// <summary>Reading the row's keys and values as fast as a plain loop reads as many as 32 rows have. Can go on beside the arithmetic.</summary>
    public required double Cache { get; init; }

    /// <summary>The arithmetic, or the reading where that takes longer.</summary>
    public double Total => Math.Max(Products + Attention + Exponentials, Cache);

    /// <summary>Tokens per second at that.</summary>
    public double TokensPerSecond => 1e6 / Total;

    /// <summary>Measured tokens per second over these.</summary>
    public double Reached { get; init; }
}

/// <summary>Decoding speed of a model on this machine.</summary>
internal static class DecodeBench
{
    private const int Tokens = 256;
    private const int CaptureK = 200;

    /// <summary>Rounds of the loop that finds the machine's peak: some ten microseconds a step.</summary>
    private const int PeakLoop = 4000;

    /// <summary>Times that the keys and values of 32 rows are read in a round.</summary>
    private const int CacheReads = 8;

    /// <summary>Measures a GGUF model.</summary>
    /// <param name="path">The file.</param>
    /// <param name="threads">Threads to use.</param>
    /// <param name="rounds">Rounds, after one that warms up.</param>
    public static DecodeBenchResult Run(string path, int threads = 1, int rounds = 7)
    {
        long bytes, matrices;
        int heads, queryWidth, keyValueWidth, feedForward;
        using (var file = GgufFile.Open(path))
        {
            (bytes, matrices) = (file.Tensors.Values.Sum(t => t.Bytes), file.Tensors.Values.Where(t => t.Dimensions.Count > 1).Sum(t => t.Count));
            // An embedding that is not the output matrix as well is only looked up.
            if (file.Tensors.ContainsKey("output.weight")) matrices -= file.Tensors["token_embd.weight"].Count;
            var architecture = file.Metadata.Text("general.architecture");
            heads = file.Metadata.Whole(architecture + ".attention.head_count", 1, int.MaxValue);
            queryWidth = (int)file.Tensors["blk.0.attn_q.weight"].Rows;
            keyValueWidth = (int)file.Tensors["blk.0.attn_k.weight"].Rows;
            feedForward = file.Metadata.Whole(architecture + ".feed_forward_length", 1, int.MaxValue);
        }
        using var model = LanguageModels.Open(path, new ModelOptions { Threads = threads });
        var tokens = Math.Min(Tokens, model.Info.ContextLength - 8);
        // A row reads its prompt of one token and what it has written.
        var positions = (tokens + 3) / 2.0;
        var cache = 2 * model.Info.Layers * keyValueWidth * positions;
        var names = new[] { "1", "8", "32", "32 with features", "bytes", "multiplications", "peak", "cache" };
        var quickest = names.ToDictionary(name => name, _ => new double[Steps(tokens)]);
        var (large, small, rowsRead) = (new float[bytes / 4 / 2], new float[2048], new float[(int)(32 * cache / 2)]);
        for (var round = -1; round < rounds; round++)
        {
            foreach (var name in names)
            {
                var seconds = new double[Steps(tokens)];
                if (name == "bytes") Repeat(threads, 1, large, seconds);
                else if (name == "multiplications") Repeat(threads, 100, small, seconds);
                else if (name == "cache") Repeat(threads, 1, rowsRead, seconds.AsSpan(0, CacheReads));
                else if (name == "peak") Peak(threads, seconds);
                else Decode(model, int.Parse(name.Split(' ')[0]), features: name.Contains(' '), seconds);
                // The first round warms up.
                for (var i = 0; i < seconds.Length; i++) quickest[name][i] = round <= 0 ? seconds[i] : Math.Min(quickest[name][i], seconds[i]);
            }
        }
        double Seconds(string name) => quickest[name].Sum();
        double Rate(string name, int rows) => rows * tokens / Seconds(name);
        var peak = threads * (double)Steps(tokens) * PeakLoop * 8 * 12 / Seconds("peak");
        double Microseconds(double multiplications) => 1e6 * multiplications / peak;
        var floor = new DecodeFloor
        {
            Products = Microseconds(matrices),
            Attention = Microseconds(2.0 * model.Info.Layers * queryWidth * positions),
            Exponentials = Microseconds(10.0 * model.Info.Layers * (heads * positions + feedForward) + 2 * 17 * model.Info.VocabularySize),
            Cache = 1e6 * cache / (threads * (double)CacheReads * 2 * rowsRead.Length / Seconds("cache")),
        };
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
            PeakMultiplicationsPerSecond = peak,
            Floor32 = floor with { Reached = Rate("32", 32) / floor.TokensPerSecond },
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

    /// <summary>Twelve running sums, which hide the latency of the additions, and nothing else.</summary>
    private static void Peak(int threads, double[] seconds)
    {
        for (var step = 0; step < seconds.Length; step++)
        {
            var start = Stopwatch.GetTimestamp();
            if (threads == 1) MultiplyAdd(PeakLoop);
            else Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ => MultiplyAdd(PeakLoop));
            seconds[step] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static Vector256<float> MultiplyAdd(int times)
    {
        var x = Vector256.Create(0.5f);
        Vector256<float> a, b, c, d, e, f, g, h, i, j, k, l;
        a = b = c = d = e = f = g = h = i = j = k = l = Vector256<float>.One;
        for (; times > 0; times--)
        {
            a = Vector256.FusedMultiplyAdd(a, x, x);
            b = Vector256.FusedMultiplyAdd(b, x, x);
            c = Vector256.FusedMultiplyAdd(c, x, x);
            d = Vector256.FusedMultiplyAdd(d, x, x);
            e = Vector256.FusedMultiplyAdd(e, x, x);
            f = Vector256.FusedMultiplyAdd(f, x, x);
            g = Vector256.FusedMultiplyAdd(g, x, x);
            h = Vector256.FusedMultiplyAdd(h, x, x);
            i = Vector256.FusedMultiplyAdd(i, x, x);
            j = Vector256.FusedMultiplyAdd(j, x, x);
            k = Vector256.FusedMultiplyAdd(k, x, x);
            l = Vector256.FusedMultiplyAdd(l, x, x);
        }
        return a + b + c + d + e + f + g + h + i + j + k + l;
    }

    /// <summary>The plain loop: dot products of two arrays, so many times per step.</summary>
    private static void Repeat(int threads, int times, float[] values, Span<double> seconds)
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
