using FsCheck;
using FsCheck.Fluent;
using Silo.Reporting.Texts;

namespace Silo.Reporting.Tests.Texts;

public class MassRanksTests
{
    [Fact]
    public void Ranks_rise_from_one_to_the_vocabulary_in_even_steps_of_the_logarithm() =>
        Prop.ForAll(Gen.Choose(1, 300_000).ToArbitrary(), v =>
        {
            var ranks = MassRanks.For(v);
            return ranks[0] == 1 && ranks[^1] == v && ranks.Zip(ranks.Skip(1)).All(p => p.First < p.Second && p.Second <= 2 * p.First) && ranks.Length < 40;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_largest_vocabulary_does_not_overflow() => Assert.Equal(int.MaxValue, MassRanks.For(int.MaxValue)[^1]);
}
