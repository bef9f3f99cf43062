using FsCheck;
using FsCheck.Fluent;
using Silo.Core.Statistics;

namespace Silo.Core.Tests.Statistics;

public class PairwiseAccuracyTests
{
    [Fact]
    public void A_calibrated_threshold_is_the_smallest_of_the_best() => Prop.ForAll(
        Gen.Choose(-5, 5).Two().Select(p => new ItemPair(p.Item1 / 4.0, p.Item2 / 3)).ArrayOf().ToArbitrary(), pairs =>
    {
        var candidates = pairs.Select(p => Math.Abs(p.Measure)).Append(0).Order().Select(e => PairwiseAccuracy.At(pairs, e)).ToList();
        var best = candidates.First(c => c.Correct == candidates.Max(x => x.Correct));
        return PairwiseAccuracy.Calibrate(pairs) == best;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_threshold_learned_on_one_part_is_applied_to_another()
    {
        // Gold ties where the measure differs by less than one half.
        ItemPair[] learn = [new(0.1, 0), new(-0.4, 0), new(0.9, 1), new(-2, -1)], apply = [new(0.3, 0), new(0.6, 1), new(0.2, 1)];
        var learned = PairwiseAccuracy.Calibrate(learn);
        Assert.Equal((0.4, 1.0), (learned.Epsilon, learned.Accuracy));
        Assert.Equal(new PairwiseAgreement(3, 1, 2, 2, 0.4), PairwiseAccuracy.At(apply, learned.Epsilon));
        Assert.Equal(2 / 3.0, PairwiseAccuracy.At(apply).Accuracy);
    }

    [Fact]
    public void Without_pairs_there_is_no_accuracy() => Assert.Null(PairwiseAccuracy.Calibrate([]).Accuracy);
}
