using System.Text.Json;
using Silo.Core.Deviation;

namespace Silo.Core.Tests.Deviation;

public class DeviationTests
{
    private static DeviationScores Scores(JsonElement set, string vectors) =>
        DeviationScores.Compute([.. set.Items(vectors).Select(v => v.Numbers())])!;

    [Fact]
    public void Golden_cosines()
    {
        foreach (var pair in Golden.Load("texts.json").Items("cosine"))
            Golden.Close(pair.Number("cosine"), Cosine.Similarity(pair.Numbers("a"), pair.Numbers("b")), "cosine");
    }

    [Fact]
    public void Golden_deviations()
    {
        foreach (var set in Golden.Load("texts.json").Items("sets"))
        {
            string name = set.Text("name");
            DeviationScores semantic = Scores(set, "semantic_vectors"), style = Scores(set, "style_vectors");
            Check(set.GetProperty("semantic"), semantic, name + " semantic");
            Check(set.GetProperty("style"), style, name + " style");
            Golden.Close(set.Number("mean_pairwise_cosine_distance_semantic"), semantic.MeanPairwiseDistance, name + " mean semantic");
            Golden.Close(set.Number("mean_pairwise_cosine_distance_style"), style.MeanPairwiseDistance, name + " mean style");
            var combined = DeviationScores.Combine(semantic.Unit, style.Unit);
            // SCHEMA 6: where all deviations are equal, the constant u says nothing.
            if (!semantic.AllEqual && !style.AllEqual)
                Golden.Close(set.GetProperty("combined").Numbers("u"), combined, name + " combined u");
            Golden.Close(set.GetProperty("combined").Numbers("w"), DeviationScores.Weights(combined), name + " combined w");
        }
    }

    [Fact]
    public void A_response_alone_deviates_from_nothing()
    {
        var alone = DeviationScores.Compute([[1, 2]])!;
        Assert.Equal([1.0], alone.OwnWeights);
        Assert.Null(alone.MeanPairwiseDistance);
        Assert.Empty(DeviationScores.Compute([])!.OwnWeights);
    }

    [Fact]
    public void An_embedding_without_direction_leaves_deviation_undefined() => Assert.Null(DeviationScores.Compute([[0, 0], [1, 2]]));

    [Fact]
    public void Weights_have_mean_one_and_fall_back_to_one()
    {
        Assert.Equal([0.0, 1, 2], DeviationScores.Weights([0, 0.25, 0.5]));
        Assert.Equal([1.0, 1], DeviationScores.Weights([0, 0]));
    }

    private static void Check(JsonElement expected, DeviationScores actual, string what)
    {
        Golden.Close(expected.Numbers("d"), [.. actual.Deviation], what + " d");
        Assert.Equal(expected.GetProperty("all_equal").GetBoolean(), actual.AllEqual);
        if (!actual.AllEqual) Golden.Close(expected.Numbers("u"), [.. actual.Unit], what + " u");
        Golden.Close(expected.Numbers("w"), actual.OwnWeights, what + " w");
    }
}
