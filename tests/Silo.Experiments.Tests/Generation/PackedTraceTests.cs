using FsCheck;
using FsCheck.Fluent;
using Silo.Core.Features;
using Silo.Experiments.Generation;
using Silo.Experiments.Spec;

namespace Silo.Experiments.Tests.Generation;

public class PackedTraceTests
{
    [Fact]
    public void What_is_unpacked_is_what_was_packed_to_the_rounding_that_is_declared()
    {
        foreach (var steps in (int[])[0, 1, 7, 200])
        {
            var trace = Trace(steps, [0.3, 1.5, 0.7], seed: steps);
            var unpacked = PackedTrace.Unpack(PackedTrace.Pack(trace, TraceKeeping.All));
            Assert.Equal(trace.Temperatures, unpacked.Temperatures);
            Check(trace.Full, unpacked.Full, TokenFeatures.FullCount);
            Check(trace.Captured, unpacked.Captured, TokenFeatures.CapturedCount);
        }

        static void Check(double[] expected, double[] actual, int columns)
        {
            Assert.Equal(expected.Length, actual.Length);
            for (var i = 0; i < expected.Length; i++)
                switch ((TokenFeature)(i % columns))
                {
                    case TokenFeature.Retained or TokenFeature.EntropyShift:
                        Assert.Equal(expected[i], actual[i], 1e-5);
                        break;
                    default:
                        Assert.Equal((float)expected[i], actual[i]);
                        break;
                }
        }
    }

    [Fact]
    public void What_is_kept_can_be_chosen()
    {
        var trace = Trace(5, [0.3, 1.5], seed: 1);
        Assert.Empty(PackedTrace.Pack(trace, TraceKeeping.None));
        var own = PackedTrace.Unpack(PackedTrace.Pack(trace, TraceKeeping.Own));
        Assert.Equal([0.3], own.Temperatures);
        for (var step = 0; step < 5; step++)
            Assert.Equal((float)trace.CapturedRow(step, 0)[(int)TokenFeature.Js], own.CapturedRow(step, 0)[(int)TokenFeature.Js]);
    }

    [Fact]
    public void Damaged_bytes_are_refused_or_give_some_trace_and_never_more()
    {
        var packed = PackedTrace.Pack(Trace(20, [0.3], seed: 3), TraceKeeping.Own);
        Assert.Throws<InvalidDataException>(() => PackedTrace.Unpack([]));
        Assert.Throws<InvalidDataException>(() => PackedTrace.Unpack(packed.AsSpan(0, packed.Length - 1)));
        Assert.Throws<InvalidDataException>(() => PackedTrace.Unpack([1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 8]));
        Prop.ForAll(Gen.Choose(0, packed.Length - 1).Two().ToArbitrary(), change =>
        {
            var damaged = (byte[])packed.Clone();
            damaged[change.Item1] ^= (byte)(1 << (change.Item2 % 8));
            try
            {
                PackedTrace.Unpack(damaged);
            }
            catch (InvalidDataException)
            {
                // That is how damage is told.
            }
        }).QuickCheckThrowOnFailure();
    }

    /// <summary>A trace in which the columns hang together as they do in real ones.</summary>
    private static TokenTrace Trace(int steps, double[] temperatures, int seed)
    {
        var random = new Random(seed);
        var trace = new TokenTrace(steps, temperatures,
            new double[steps * temperatures.Length * TokenFeatures.FullCount], new double[steps * temperatures.Length * TokenFeatures.CapturedCount]);
        for (var step = 0; step < steps; step++)
            foreach (var captured in (bool[])[false, true])
            {
                double[] ofP = [.. Enumerable.Range(0, 31).Select(_ => random.NextDouble())];
                for (var t = 0; t < temperatures.Length; t++)
                {
                    var columns = captured ? TokenFeatures.CapturedCount : TokenFeatures.FullCount;
                    var row = (captured ? trace.Captured : trace.Full).AsSpan((step * temperatures.Length + t) * columns, columns);
                    for (var column = 0; column < columns; column++)
                        row[column] = ((TokenFeature)column).DependsOnTemperature() ? random.NextDouble() * 3 : ofP[column];
                    foreach (var whole in (TokenFeature[])[TokenFeature.WidthP50, TokenFeature.WidthP90, TokenFeature.WidthP95, TokenFeature.WidthP99, TokenFeature.RankX])
                        row[(int)whole] = 1 + Math.Floor(ofP[(int)whole] * 128_256);
                    foreach (var whole in (TokenFeature[])[TokenFeature.WidthQ50, TokenFeature.WidthQ90, TokenFeature.WidthQ95, TokenFeature.WidthQ99])
                        row[(int)whole] = 1 + Math.Floor(random.NextDouble() * 128_256);
                    row[(int)TokenFeature.Leak] = random.NextDouble() * 1e-9;
                    row[(int)TokenFeature.N95Q] = row[(int)TokenFeature.WidthQ95];
                    row[(int)TokenFeature.Retained] = 1 - row[(int)TokenFeature.Leak];
                    row[(int)TokenFeature.EntropyShift] = row[(int)TokenFeature.EntropyQ] - row[(int)TokenFeature.EntropyP];
                    row[(int)TokenFeature.OutsideX] = row[(int)TokenFeature.RankX] > row[(int)TokenFeature.WidthP90] ? 1 : 0;
                    if (!captured) continue;
                    row[(int)TokenFeature.CapturedSize] = 201;
                    row[(int)TokenFeature.Appended] = 1;
                }
            }
        return trace;
    }
}
