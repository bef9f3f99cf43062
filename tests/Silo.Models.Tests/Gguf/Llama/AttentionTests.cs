using Silo.Models.Gguf.Llama;

namespace Silo.Models.Tests.Gguf.Llama;

public sealed unsafe class AttentionTests
{
    /// <summary>Around the borders of blocks (16) and pages (64), and where the scores of eight heads no longer fit (512).</summary>
    private static readonly int[] s_counts = [1, 2, 15, 16, 17, 31, 33, 47, 48, 49, 63, 64, 65, 100, 127, 128, 129, 200, 600];

    [Theory]
    [InlineData(8, 4, 8)]   // two query heads on each key/value head
    [InlineData(3, 3, 8)]   // each its own, an odd number
    [InlineData(6, 2, 24)]  // three on one: a pair and one
    [InlineData(12, 2, 64)] // more heads than go through a step together
    public void Both_ways_of_summing_give_the_same_bits_and_the_softmax_weighted_values(int heads, int keyValueHeads, int size)
    {
        var shape = Shape(heads, keyValueHeads, size);
        var random = new Random(5);
        using var pages = new KeyValuePages(shape, 10);
        using var scratch = NativeBuffer.OfFloats(Attention.Scratch(shape));
        using var queries = Random(heads * size);
        using var narrow = NativeBuffer.OfFloats(heads * size);
        using var wide = NativeBuffer.OfFloats(heads * size);
        var table = new nint[KeyValuePages.PagesFor(600)];
        const int Layer = 1;
        var offset = (nint)(Layer * 2 * KeyValuePages.Positions * keyValueHeads * size);
        var (keys, values) = (new float[600][], new float[600][]);
        fixed (nint* pointers = table)
            for (var position = 0; position < 600; position++)
            {
                if (position % KeyValuePages.Positions == 0)
                {
                    table[position / KeyValuePages.Positions] = pages.Take();
                    // A page may hold anything when it is taken.
                    new Span<float>((float*)table[position / KeyValuePages.Positions], (int)(KeyValuePages.PageBytes(shape) / sizeof(float))).Fill(float.NaN);
                }
                using NativeBuffer k = Random(keyValueHeads * size), v = Random(keyValueHeads * size);
                (keys[position], values[position]) = (new Span<float>(k.Floats, keyValueHeads * size).ToArray(), new Span<float>(v.Floats, keyValueHeads * size).ToArray());
                Attention.Write(k.Floats, v.Floats, (float*)table[position / KeyValuePages.Positions] + offset, position % KeyValuePages.Positions, shape);
                if (!s_counts.Contains(position + 1)) continue;
                Attention.AttendInPairs(queries.Floats, pointers, offset, shape, position + 1, scratch.Floats, narrow.Floats);
                var expected = Plain(position + 1);
                for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], narrow.Floats[i], 5e-6);
                if (!WideAttention.IsSupported) continue;
                Attention.AttendWide(queries.Floats, pointers, offset, shape, position + 1, scratch.Floats, wide.Floats);
                Assert.Equal(new Span<float>(narrow.Floats, heads * size).ToArray(), new Span<float>(wide.Floats, heads * size).ToArray());
            }

        NativeBuffer Random(int count)
        {
            var buffer = NativeBuffer.OfFloats(count);
            for (var i = 0; i < count; i++) buffer.Floats[i] = (float)(2 * random.NextDouble() - 1);
            return buffer;
        }

        // The definition, in float64.
        double[] Plain(int count)
        {
            var results = new double[heads * size];
            for (var head = 0; head < heads; head++)
            {
                var from = head / shape.Group * size;
                var weights = new double[count];
                for (var position = 0; position < count; position++)
                {
                    for (var d = 0; d < size; d++) weights[position] += (double)queries.Floats[head * size + d] * keys[position][from + d];
                    weights[position] = Math.Exp(weights[position]);
                }
                for (var position = 0; position < count; position++)
                    for (var d = 0; d < size; d++) results[head * size + d] += weights[position] / weights.Sum() * values[position][from + d];
            }
            return results;
        }
    }

    private static LlamaShape Shape(int heads, int keyValueHeads, int size) => new()
    {
        Name = "test",
        Vocabulary = 1,
        Width = heads * size,
        Layers = 2,
        Heads = heads,
        KeyValueHeads = keyValueHeads,
        HeadSize = size,
        FeedForward = 1,
        Context = 600,
        Epsilon = 1e-5f,
        RotaryDimensions = size,
        RotaryBase = 10_000,
        RotaryScale = 1,
    };
}
