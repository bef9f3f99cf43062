using System.Text.Json;
using Silo.Core.Statistics;

namespace Silo.Core.Tests.Statistics;

public class WilliamsTests
{
    [Fact]
    public void Golden_tests()
    {
        foreach (var test in GoldenStatistics.Section("williams"))
        {
            var actual = Williams.Test(test.Number("r12")!.Value, test.Number("r13")!.Value, test.Number("r23")!.Value, test.Whole("n"));
            var expected = test.GetProperty("expected");
            Assert.Equal(expected.ValueKind == JsonValueKind.Null, actual is null);
            if (actual is not { } result) continue;
            Golden.Close(expected.Number("t"), result.T, "t");
            Golden.Close(expected.Number("p_two_sided"), result.PTwoSided, "p");
            Golden.Close(expected.Number("det_R"), result.Determinant, "det");
            Assert.Equal(expected.Whole("df"), result.DegreesOfFreedom);
        }
    }
}
