using Silo.Experiments.Spec;
using Silo.Local.Boards;
using Silo.Local.Models;
using Silo.Local.Remeasuring;
using Silo.Local.Running;
using Silo.Storage.Runs;

namespace Silo.Local.Tests.Remeasuring;

public sealed class ReferenceTemperatureMeasuringTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_reference_temperature_added_later_measures_what_one_from_the_beginning_would_have()
    {
        var spec = new ExperimentSpec
        {
            Prompts = [new Prompt("a", "Once upon a time"), new Prompt("b", "The dog")],
            MaxTokens = 20,
            CaptureK = 50,
            ReferenceTemperatures = [1.5],
        };
        await using var model = new LocalModel(Shared.Path("models/stories260k/stories260K-f32.gguf"));
        var digest = await Run("later", spec, model);
        var beginning = await Run("beginning", spec with { ReferenceTemperatures = [1.5, 0.7] }, model);
        Assert.NotEqual(digest, beginning);
        using (var store = RunStore.OpenExisting(_folder["later"], TimeProvider.System))
        {
            Assert.Equal(6, ReferenceTemperatureMeasuring.Add(store, model, 0.7, null, TestContext.Current.CancellationToken));
            Assert.Equal(0, ReferenceTemperatureMeasuring.Add(store, model, 0.7, null, TestContext.Current.CancellationToken));
        }
        using var added = RunReader.Open(_folder["later"]);
        using var first = RunReader.Open(_folder["beginning"]);
        Assert.Equal([1.5, 0.7], added.Info().ReferenceTemperatures);
        var names = first.MeasureNames();
        Assert.Contains("leak@0.7.mean", names);
        foreach (var (one, other) in added.Records(names).Zip(first.Records(names)))
        {
            Assert.Equal(one.Key, other.Key);
            Assert.Equal(other.Measures, one.Measures);
        }
        Assert.Contains(RunBoard.Of(added).Board.Read().Results, r => r.Feature == "leak@0.7.mean");
    }

    private async Task<string> Run(string directory, ExperimentSpec spec, LocalModel model)
    {
        var digest = "";
        await foreach (var e in ExperimentRunner.RunAsync(
            new RunRequest { Spec = spec, Directory = _folder[directory], Model = model }, CancellationToken.None, TestContext.Current.CancellationToken))
        {
            if (e is RunEvent.GenerationFailed failed) Assert.Fail(failed.Reason);
            if (e is RunEvent.Done done) digest = done.Digest;
        }
        return digest;
    }
}
