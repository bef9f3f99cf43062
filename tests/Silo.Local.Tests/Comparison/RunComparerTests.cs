using Silo.Experiments.Spec;
using Silo.Local.Comparison;
using Silo.Local.Models;
using Silo.Local.Running;
using Silo.Storage.Runs;

namespace Silo.Local.Tests.Comparison;

public sealed class RunComparerTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_run_against_itself_differs_nowhere_and_one_with_other_texts_does()
    {
        var spec = new ExperimentSpec { Prompts = [.. Enumerable.Range(0, 8).Select(i => new Prompt($"p{i}", $"Once {i}"))], MaxTokens = 30 };
        await Run("a", spec);
        await Run("b", spec with { Seed = 1, Temperatures = [0.3, 0.8], Prompts = [.. spec.Prompts.Skip(2), new Prompt("new", "x"), new Prompt("p0", "another text")] });
        using var a = RunReader.Open(_folder["a"]);
        using var b = RunReader.Open(_folder["b"]);

        var same = RunComparer.Compare(a, a);
        Assert.Empty(same.SpecDifferences);
        Assert.Equal(8, same.Prompts);
        Assert.NotEmpty(same.Correlations);
        Assert.All(same.Measures.Concat(same.Correlations).Where(m => m.N > 0), m =>
        {
            Assert.Equal((0, 1), (m.Difference, m.P));
            Assert.Equal([0, 0], m.Ci!);
        });

        var other = RunComparer.Compare(a, b);
        Assert.Equal(6, other.Prompts);
        Assert.Equal([0.3, 0.8], other.Temperatures);
        Assert.Contains("seed: 0 -> 1", other.SpecDifferences);
        // Checked against the definition: the mean over the six prompts of each prompt's mean over .3 and .8.
        string[] measure = [other.Measures[0].Measure];
        double MeanOf(RunReader run) => Enumerable.Range(0, run.Plan.Prompts).Where(p => run.Spec.Prompts[p].Id is not ("p0" or "p1" or "new"))
            .Average(p => run.RecordsOf(p, measure).Where(r => r.Key.Temperature < 1).Average(r => r.Measures[0]));
        Assert.Equal(MeanOf(a), other.Measures[0].MeanA!.Value, 1e-12);
        Assert.Equal(MeanOf(b), other.Measures[0].MeanB!.Value, 1e-12);
        Assert.Equal(MeanOf(b) - MeanOf(a), other.Measures[0].Difference!.Value, 1e-12);
        Assert.InRange(other.Measures[0].Difference!.Value, other.Measures[0].Ci![0], other.Measures[0].Ci![1]);
    }

    private async Task Run(string directory, ExperimentSpec spec)
    {
        await foreach (var _ in ExperimentRunner.RunAsync(
            new RunRequest { Spec = spec, Directory = _folder[directory], Model = new LocalModel(new ToyEngine()) },
            CancellationToken.None, TestContext.Current.CancellationToken)) { }
    }
}
