using Silo.Core;
using Silo.Core.Features;
using Silo.Reporting.Texts;

namespace Silo.Reporting.Tests.Texts;

public class TokenDetailTests
{
    [Theory]
    [InlineData(0.3)]
    [InlineData(0.8)]
    [InlineData(1.5)]
    public void It_agrees_with_the_reference_features(double temperature)
    {
        var random = new Random(11);
        for (var trial = 0; trial < 50; trial++)
        {
            var logits = Enumerable.Range(0, 300).Select(_ => (float)Math.Round(random.NextDouble() * 12, 1)).ToArray();
            logits[7] = float.NegativeInfinity;
            var token = random.Next(8, 300);
            var expected = ReferenceFeatures.Full(logits, temperature, token);

            var detail = TokenDetail.From(logits, temperature, token, id => $"<{id}>");

            Assert.Equal(expected[(int)TokenFeature.EntropyP], detail.EntropyP, 1e-9);
            Assert.Equal(expected[(int)TokenFeature.EntropyQ], detail.EntropyQ, 1e-9);
            Assert.Equal(expected[(int)TokenFeature.Leak], detail.Leak, 1e-9);
            Assert.Equal(expected[(int)TokenFeature.WidthP90], detail.TopSet);
            Assert.Equal(expected[(int)TokenFeature.RankX], detail.Rank);
            Assert.Equal(Math.Exp(expected[(int)TokenFeature.LogPX]), detail.P, 1e-12);
            Assert.Equal(Math.Exp(expected[(int)TokenFeature.LogQX]), detail.Q, 1e-12);
            Assert.Equal($"<{token}>", detail.Token);
            Assert.Equal(expected[(int)TokenFeature.Top1P], detail.Top[0].P, 1e-12);
            Assert.Equal(expected[(int)TokenFeature.Top1Q], detail.MassQ[0], 1e-12);
        }
    }

    [Fact]
    public void Masses_stand_at_the_ranks_and_end_at_one()
    {
        var detail = TokenDetail.From([0, 0, 0, 0, 0, 0, 0, 0], 2, 3, id => $"{id}");

        Assert.Equal([1, 2, 3, 5, 7, 8], MassRanks.For(8));
        Assert.Equal([0.125, 0.25, 0.375, 0.625, 0.875, 1], detail.MassP);
        Assert.Equal(detail.MassP, detail.MassQ);
        Assert.Equal(["0", "1", "2", "3", "4", "5", "6", "7"], detail.Top.Select(t => t.Token));
        Assert.Equal(4, detail.Rank);
    }

    [Fact]
    public void Signed_zeros_tie_and_a_greedy_step_is_shown_at_one()
    {
        var detail = TokenDetail.From([-0f, 0f, -1f], 0, 1, id => $"{id}");

        Assert.Equal(["0", "1", "2"], detail.Top.Select(t => t.Token));
        Assert.Equal(detail.P, detail.Q);
        Assert.Equal(0.1, detail.Leak + 0.1, 1e-12);
    }

    [Fact]
    public void One_token_holds_everything()
    {
        var detail = TokenDetail.From([3f], 1.5, 0, _ => "only");

        Assert.Equal((1.0, 1.0, 0.0, 1), (detail.P, detail.MassQ[0], detail.Leak, detail.TopSet));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    public void A_token_outside_the_vocabulary_is_named(int token) =>
        Assert.Contains($"token {token} is outside the vocabulary of 3", Assert.Throws<SiloException>(() => TokenDetail.From([1, 2, 3], 1, token, _ => "")).Message, StringComparison.Ordinal);
}
