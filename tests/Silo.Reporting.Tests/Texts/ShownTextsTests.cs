using Silo.Experiments.Generation;
using Silo.Experiments.Spec;
using Silo.Reporting.Texts;

namespace Silo.Reporting.Tests.Texts;

public class ShownTextsTests
{
    private static ExperimentSpec Spec(int prompts) => new() { Prompts = [.. Enumerable.Range(0, prompts).Select(i => new Prompt($"p{i}", ""))] };

    private static IEnumerable<GenerationKey> Keys(ExperimentSpec spec, int samples = 1) =>
        from p in spec.Prompts from t in spec.Temperatures from s in Enumerable.Range(0, samples) select new GenerationKey(p.Id, t, s);

    [Fact]
    public void Of_many_prompts_six_are_shown_evenly_spaced_with_the_first_sample_of_every_temperature()
    {
        var spec = Spec(600);

        var shown = ShownTexts.Choose(spec, Keys(spec, samples: 4).Reverse());

        Assert.Equal(["p0", "p100", "p200", "p300", "p400", "p500"], shown.Select(k => k.Prompt).Distinct());
        Assert.Equal(18, shown.Count);
        Assert.All(shown, k => Assert.Equal(0, k.Sample));
        Assert.Equal([0.3, 0.8, 1.5], shown.Take(3).Select(k => k.Temperature));
    }

    [Fact]
    public void Of_few_prompts_all_are_shown_and_of_none_none()
    {
        Assert.Equal(6, ShownTexts.Choose(Spec(2), Keys(Spec(2))).Count);
        Assert.Empty(ShownTexts.Choose(Spec(2), []));
    }

    [Fact]
    public void What_is_not_finished_has_no_place()
    {
        var spec = Spec(3);

        var shown = ShownTexts.Choose(spec, Keys(spec, 2).Where(k => k.Prompt != "p0" && !(k.Temperature == 0.8 && k.Sample == 0)));

        Assert.Equal(["p1/t0.3-0", "p1/t0.8-1", "p1/t1.5-0", "p2/t0.3-0", "p2/t0.8-1", "p2/t1.5-0"], shown.Select(k => k.ToString()));
    }
}
