using Silo.Experiments.Generation;
using Silo.Experiments.Spec;

namespace Silo.Experiments.Tests.Spec;

public class SpecIdentityTests
{
    private static readonly ExperimentSpec s_spec = new() { Prompts = [new Prompt("a", "one"), new Prompt("b", "two")] };

    [Fact]
    public void The_identity_is_pinned()
    {
        // Changing these means that no stored run is recognised any more.
        var identity = SpecIdentity.Of(s_spec);
        Assert.Equal("""{"name":"experiment","seed":0,"prompts":{"count":2,"sha256":"fedda530294b21fb5120a3866f786d6d7c3712d0c38e5fda71a64e404d12c54d"},"temperatures":[0.3,0.8,1.5],"samples":1,"max_tokens":200,"sampler":{"top_k":0,"top_p":1,"min_p":0,"order":"before_truncation"},"capture_k":200,"reference_temperatures":[1.5],"primary_measures":null,"traces":"own","gold":{"heuristic_judge":true,"ranks":[]}}""",
            identity.Canonical);
    }

    [Fact]
    public void Where_model_and_prompts_lie_does_not_matter_what_they_say_does()
    {
        Assert.Equal(SpecIdentity.Of(s_spec), SpecIdentity.Of(s_spec with { Model = "x.gguf", PromptsFile = "p.txt" }));
        Assert.NotEqual(SpecIdentity.Of(s_spec).Hash, SpecIdentity.Of(s_spec with { Prompts = [new Prompt("a", "onet"), new Prompt("b", "wo")] }).Hash);
    }

    [Fact]
    public void Differences_name_each_key_and_both_values()
    {
        var other = s_spec with
        {
            Prompts = [new Prompt("a", "one")],
            Temperatures = [1],
            Sampler = new SamplerOptions { TopK = 40 },
            PrimaryMeasures = ["leak.mean"],
        };
        var differences = SpecIdentity.Of(s_spec).DifferencesTo(SpecIdentity.Of(other));
        Assert.Equal(4, differences.Count);
        Assert.StartsWith("prompts: 2 (", differences[0], StringComparison.Ordinal);
        Assert.Contains(") -> 1 (", differences[0], StringComparison.Ordinal);
        Assert.Equal(["temperatures: [0.3,0.8,1.5] -> [1]", "sampler.top_k: 0 -> 40", "primary_measures: null -> [\"leak.mean\"]"], differences.Skip(1));
        Assert.Empty(SpecIdentity.Of(s_spec).DifferencesTo(SpecIdentity.Of(s_spec)));
    }
}
