using Silo.Core.Numerics;

namespace Silo.Core.Tests.Numerics;

public class CounterRandomTests
{
    // Random123, tests/kat_vectors, "philox4x64 10".
    [Theory]
    [InlineData(0, 0, 0, 0, 0, 0, 0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue,
        0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0)]
    [InlineData(0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89, 0x452821e638d01377, 0xbe5466cf34e90c6c,
        0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6)]
    public void Philox_gives_the_published_answers(
        ulong c0, ulong c1, ulong c2, ulong c3, ulong k0, ulong k1, ulong w0, ulong w1, ulong w2, ulong w3)
    {
        var block = Philox.Compute(c0, c1, c2, c3, k0, k1);
        Assert.Equal((w0, w1, w2, w3), (block.W0, block.W1, block.W2, block.W3));
    }

    [Fact]
    public void Lanes_are_the_words_of_the_blocks_of_a_counter()
    {
        var random = CounterRandom.Create(new UInt128(7, 5));
        var second = Philox.Compute(11, 1, 0, 0, 5, 7);
        Assert.Equal(second.W2, random.At(11, 6));
        var filled = new ulong[7];
        random.Fill(11, filled);
        for (uint lane = 0; lane < filled.Length; lane++) Assert.Equal(random.At(11, lane), filled[lane]);
    }

    [Fact]
    public void A_name_is_keyed_by_its_SHA_256()
    {
        // FIPS 180-2, appendix B.1: SHA-256 of "abc" begins ba7816bf 8f01cfea 414140de 5dae2223.
        Assert.Equal(new UInt128(0x2322ae5dde404141, 0xeacf018fbf1678ba), CounterRandom.KeyOf("abc"));
    }

    [Fact]
    public void Children_differ_from_each_other_and_from_the_parents_numbers()
    {
        var parent = CounterRandom.Create(3, "prompt");
        var keys = Enumerable.Range(0, 1000).Select(i => parent.Derive((ulong)i).Key).ToHashSet();
        Assert.Equal(1000, keys.Count);
        Assert.DoesNotContain(new UInt128(parent.At(0, 1), parent.At(0, 0)), keys);
        Assert.NotEqual(parent, CounterRandom.Create(4, "prompt"));
        Assert.NotEqual(parent, CounterRandom.Create(3, "prompt "));
    }

    [Fact]
    public void Uniforms_fill_the_unit_interval_evenly()
    {
        var random = CounterRandom.Create(1);
        const int N = 100_000;
        var counts = new int[10];
        for (ulong i = 0; i < N; i++)
        {
            double u = random.UniformAt(i);
            Assert.InRange(u, 0, Math.BitDecrement(1.0));
            counts[(int)(u * 10)]++;
        }
        // Chi-square with 9 degrees of freedom; its 0.9999 quantile is 33.7. The stream is fixed, so this cannot flicker.
        Assert.InRange(counts.Sum(c => (c - N / 10.0) * (c - N / 10.0) / (N / 10.0)), 0, 33.7);
    }

    [Fact]
    public void Indexes_reach_every_value_below_the_count()
    {
        var random = CounterRandom.Create(2);
        Assert.Equal([0, 1, 2], Enumerable.Range(0, 200).Select(i => random.IndexAt((ulong)i, 3)).Distinct().Order());
        Assert.Throws<ArgumentOutOfRangeException>(() => random.IndexAt(0, 0));
    }
}
