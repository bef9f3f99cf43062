using FsCheck;
using FsCheck.Fluent;
using Silo.Core.Statistics;

namespace Silo.Core.Tests.Statistics;

public class HolmTests
{
    [Fact]
    public void Golden_families()
    {
        foreach (var family in GoldenStatistics.Section("holm"))
            Golden.Close(family.Numbers("adjusted"), Holm.Adjust(family.Numbers("p")), "adjusted", 1e-12);
    }

    [Fact]
    public void Adjusting_keeps_the_order_and_lies_between_p_and_Bonferroni() => Prop.ForAll(
        Gen.Choose(0, 1000).Select(p => p / 1000.0).ArrayOf().ToArbitrary(), p =>
    {
        var adjusted = Holm.Adjust(p);
        for (int i = 0; i < p.Length; i++)
        {
            if (adjusted[i] < p[i] || adjusted[i] > Math.Min(1, p.Length * p[i])) return false;
            for (int j = 0; j < p.Length; j++)
                if (p[i] <= p[j] && adjusted[i] > adjusted[j]) return false;
        }
        return true;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_no_probability_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Holm.Adjust([0.5, double.NaN]));
}
