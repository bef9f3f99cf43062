using System.Runtime.Intrinsics;
using Silo.Core.Numerics;

namespace Silo.Core.Tests.Numerics;

public class DeterministicMathTests
{
    /// <summary>x and e^x, rounded from 60 digits (mpmath).</summary>
    public static TheoryData<double, double> Exponentials => new()
    {
        { 0.0, 1.0 },
        { 1.0, 2.718281828459045 },
        { -1.0, 0.36787944117144233 },
        { 0.5, 1.6487212707001282 },
        { 1e-10, 1.0000000001 },
        { -1e-10, 0.9999999999 },
        { 1e-300, 1.0 },
        { 10.0, 22026.465794806718 },
        { -37.25, 6.64554417291507e-17 },
        { 700.0, 1.0142320547350045e+304 },
        { 709.7, 1.6549840276802644e+308 },
        { -708.5, 2.006132305331306e-308 },
        { -720.0, 2.0322308024e-313 },
        { -744.0, 1e-323 },
        { 0.34657359, 1.4142135619771539 },
        { -0.34657359, 0.7071067813845181 },
        { 123.456, 4.132944352778106e+53 },
        { -21.671238051783803, 3.875260468240091e-10 },
        { -10.951977114641686, 1.7523335386355645e-05 },
        { -17.051569170817224, 3.931855976820809e-08 },
        { -8.862798649133193, 0.00014155833715453296 },
        { -8.09978935621811, 0.00030360308344547357 },
        { -27.70648992660654, 9.273086522111273e-13 },
        { -29.539120295579405, 1.483621284931477e-13 },
        { -0.6885821266238992, 0.5022877448343084 },
        { -20.922609498519734, 8.192682939173872e-10 },
        { -21.798416363365625, 3.412463848384053e-10 },
        { 4.8475692428662, 127.43026105871903 },
        { -13.540777236714323, 1.3161796309229074e-06 },
        { -0.7238492053963945, 0.48488224788111317 },
        { -13.327637695523276, 1.6288477490808991e-06 },
        { -7.632615080954331, 0.00048439247506478823 },
        { -24.728425159176663, 1.8221385955554366e-11 },
        { -7.779876960018406, 0.00041806360998552215 },
        { 0.3815857500153861, 1.464605246749311 },
        { -11.688657636584452, 8.388426191184108e-06 },
        { -4.056185032947841, 0.01731494923560957 },
        { 243.71864912334308, 7.009135425352052e+105 },
        { -616.3314834705718, 2.14110371731561e-268 },
        { 366.6540287421333, 1.7211608157750062e+159 },
        { 129.99700943074572, 2.86407152637405e+56 },
        { -280.40499412575133, 1.6659361530689195e-122 },
        { -663.087359918834, 1.0588112996590163e-288 },
        { 518.5865675621869, 1.6568556817213912e+225 },
        { -37.58729044969891, 4.742934946901988e-17 },
        { 310.8546764771771, 1.005705135632892e+135 },
        { 537.398925161762, 2.4512509697660335e+233 },
        { 304.20734879346276, 1.3048870929882309e+132 },
        { 597.2757132987663, 2.4748362032076013e+259 },
    };

    /// <summary>x and ln x, rounded from 60 digits (mpmath).</summary>
    public static TheoryData<double, double> Logarithms => new()
    {
        { 1.0, 0.0 },
        { 2.0, 0.6931471805599453 },
        { 0.5, -0.6931471805599453 },
        { 1e-300, -690.7755278982137 },
        { 5e-324, -744.4400719213812 },
        { 1.7e+308, 709.7268368932282 },
        { 0.7071067811865475, -0.34657359027997275 },
        { 0.7071067811865476, -0.3465735902799726 },
        { 1.4142135623730951, 0.3465735902799727 },
        { 1.0000000001, 1.000000082690371e-10 },
        { 0.9999999999, -1.000000082790371e-10 },
        { 3.141592653589793, 1.1447298858494002 },
        { 10.0, 2.302585092994046 },
        { 1e-05, -11.512925464970229 },
        { 1.092445106001116, 0.08841840050198961 },
        { 1.7013631564778424, 0.5314297864984717 },
        { 1.166931584076141, 0.15437772611556264 },
        { 1.9033800825567817, 0.6436312964618071 },
        { 1.8182999905070625, 0.5979019934224357 },
        { 0.6461814645963158, -0.4366749096980859 },
        { 0.7039532903010033, -0.3510432740295439 },
        { 0.825480411849706, -0.1917897447348552 },
        { 1.9482202083473044, 0.6669162421308686 },
        { 1.154242799941144, 0.14344454451775082 },
        { 1.439972436300206, 0.3646239719465189 },
        { 0.9515392976382581, -0.049674292375444205 },
        { 1.2608644757435892, 0.23179757756995537 },
        { 1.0787993882673539, 0.07584874523410567 },
        { 1.02636573315527, 0.02602414829361733 },
        { 1.3776111611080453, 0.32035095650813583 },
        { 1.3763776894552984, 0.3194551854631853 },
        { 1.8563026562716627, 0.6185866901815736 },
        { 1.52297320495245, 0.42066448016170277 },
        { 1.8934184018000255, 0.6383838735837868 },
        { 6.92372544694183e+213, 492.38557879188255 },
        { 3.924523385342082e+294, 678.3272622536244 },
        { 5.809319969797769e+102, 236.62314300462097 },
        { 7.240577103920428e-203, -465.4450729640841 },
        { 2.412791919676703e+216, 498.2391646365994 },
        { 6.022383193467951e+278, 641.9141389126395 },
        { 6.570383320747251e+242, 559.1081646794552 },
        { 2.9140841222105837e+41, 95.47554438840685 },
        { 1.9507971144164825e+128, 295.3991299689109 },
        { 4.731405881041006e-174, -399.0955837961874 },
        { 9.220578381651287e+198, 458.13328617962065 },
        { 1.3164713459259309e+44, 101.58869902611237 },
    };

    [Theory]
    [MemberData(nameof(Exponentials))]
    public void Exp_is_within_one_unit_in_the_last_place(double x, double expected) =>
        Assert.InRange(DeterministicMath.Exp(x), Math.BitDecrement(expected), Math.BitIncrement(expected));

    [Theory]
    [MemberData(nameof(Logarithms))]
    public void Log_is_within_one_unit_in_the_last_place(double x, double expected) =>
        Assert.InRange(DeterministicMath.Log(x), Math.BitDecrement(expected), Math.BitIncrement(expected));

    [Fact]
    public void Ends_of_the_range_are_exact()
    {
        Assert.Equal(0, DeterministicMath.Exp(double.NegativeInfinity));
        Assert.Equal(0, DeterministicMath.Exp(-745.2));
        Assert.Equal(double.Epsilon, DeterministicMath.Exp(-744.5));
        Assert.Equal(double.PositiveInfinity, DeterministicMath.Exp(709.8));
        Assert.Equal(double.NaN, DeterministicMath.Exp(double.NaN));
        Assert.Equal(double.NegativeInfinity, DeterministicMath.Log(0));
        Assert.Equal(double.PositiveInfinity, DeterministicMath.Log(double.PositiveInfinity));
        Assert.Equal(double.NaN, DeterministicMath.Log(-1));
        Assert.Equal(double.NaN, DeterministicMath.Log(double.NaN));
    }

    [Fact]
    public void Vectors_have_the_bits_of_scalars()
    {
        var random = new Random(5);
        Span<double> x = stackalloc double[8];
        for (var round = 0; round < 20_000; round++)
        {
            foreach (ref var v in x) v = random.NextDouble() * 1600 - 800;
            var e = DeterministicMath.Exp(Vector512.Create<double>(x));
            for (var i = 0; i < 8; i++) Assert.Equal(Bits(DeterministicMath.Exp(x[i])), Bits(e[i]));
            foreach (ref var v in x) v = Math.ScaleB(1 + random.NextDouble(), random.Next(-1022, 1023));
            var l = DeterministicMath.LogOfNormal(Vector512.Create<double>(x));
            for (var i = 0; i < 8; i++) Assert.Equal(Bits(DeterministicMath.Log(x[i])), Bits(l[i]));
        }
    }

    [Fact]
    public void Spans_have_the_bits_of_scalars()
    {
        double[] x = [.. Enumerable.Range(0, 29).Select(i => i * 0.37 + 0.01)];
        double[] exp = new double[x.Length], log = new double[x.Length];
        DeterministicMath.Exp(x, exp);
        DeterministicMath.Log(x, log);
        Assert.Equal(Array.ConvertAll(x, DeterministicMath.Exp), exp);
        Assert.Equal(Array.ConvertAll(x, DeterministicMath.Log), log);
    }

    private static long Bits(double value) => BitConverter.DoubleToInt64Bits(value);

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(21)]
    public void Weights_are_exponentials_and_their_sum_is_added_up_in_eight_lanes(int count)
    {
        var random = new Random(count);
        var z = Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 40)).ToArray();
        var weights = new double[count];
        var sum = DeterministicMath.Weigh(z, 40, 0.7, weights);
        for (var i = 0; i < count; i++) Assert.Equal(DeterministicMath.Exp((z[i] - 40.0) * 0.7), weights[i]);
        var lanes = new double[8];
        for (var i = 0; i < count / 8 * 8; i++) lanes[i % 8] += weights[i];
        for (var half = 4; half > 0; half /= 2)
            for (var i = 0; i < half; i++) lanes[i] += lanes[i + half];
        Assert.Equal(weights[(count / 8 * 8)..].Aggregate(lanes[0], (a, b) => a + b), sum);
    }
}
