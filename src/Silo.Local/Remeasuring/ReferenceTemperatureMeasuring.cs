using System.Globalization;
using Silo.Core;
using Silo.Experiments.Generation;
using Silo.Experiments.Measures;
using Silo.Experiments.Spec;
using Silo.Local.Boards;
using Silo.Local.Models;
using Silo.Local.Running;
using Silo.Models;
using Silo.Storage.Runs;

namespace Silo.Local.Remeasuring;

/// <summary>Measures the stored texts of a run at a further reference temperature, by teacher forcing: nothing is generated.</summary>
public static class ReferenceTemperatureMeasuring
{
    private const int Batch = 16;

    /// <summary>Adds the twins at a temperature to every kept text that has none yet.</summary>
    /// <param name="store">The run.</param>
    /// <param name="model">The model that made the texts.</param>
    /// <param name="temperature">The reference temperature, finite and &gt; 0.</param>
    /// <param name="progress">Told after each text: how many are done, of how many.</param>
    /// <param name="cancellationToken">Ends it early; what is done stays, and the next call goes on from there.</param>
    /// <returns>Number of texts measured.</returns>
    /// <exception cref="SiloException">The temperature cannot be used, the model is another one, or a text cannot be replayed.</exception>
    public static int Add(RunStore store, LocalModel model, double temperature, Action<int, int>? progress, CancellationToken cancellationToken)
    {
        if (!(temperature > 0 && double.IsFinite(temperature)))
            throw new SiloException(string.Create(CultureInfo.InvariantCulture, $"reference temperature {temperature}: expected a number greater than 0"));
        ModelCheck.Check(store, model);
        var source = model.Model ?? throw new SiloException("texts can be measured again by a model only, not by an engine");
        var spec = store.Plan.Spec;
        var catalog = MeasureCatalog.For(RunBoard.CatalogOptions(spec with { PrimaryMeasures = null }, [temperature]));
        int[] added = [.. catalog.Measures.Index().Where(m => m.Item.ReferenceTemperature is not null).Select(m => m.Index)];
        string[] names = [.. added.Select(i => catalog.Measures[i].Name)];
        List<GenerationKey> todo;
        using (var run = RunReader.Open(store.Directory.Path))
            todo = [.. run.Records(names).Where(r => r.Tokens.Length > 0 && Array.TrueForAll(r.Measures, double.IsNaN)).Select(r => r.Key)];
        var replay = new Replay(source);
        var done = 0;
        foreach (var keys in todo.Chunk(Batch))
        {
            var measured = new List<(GenerationKey Key, double[] Values)>();
            using (var run = RunReader.Open(store.Directory.Path))
                foreach (var key in keys)
                {
                    var prompt = store.Plan.PromptIndex(key.Prompt);
                    var record = run.RecordsOf(prompt, []).First(r => r.Key == key);
                    var trace = replay.Trace(spec.Prompts[prompt].Text, record.Tokens, key.Temperature, [temperature], spec.CaptureK, cancellationToken);
                    var reduced = catalog.Reduce(
                        new GenerationResult(key, record.Tokens, record.Text, record.Finish, trace, record.Engine), TraceKeeping.None);
                    measured.Add((key, [.. added.Select(i => reduced.Measures[i])]));
                    done++;
                    progress?.Invoke(done, todo.Count);
                }
            store.Write(batch =>
            {
                foreach (var (key, values) in measured) batch.AddMeasures(key, names, values);
            });
        }
        store.Write(batch => batch.AddReferenceTemperature(temperature));
        return done;
    }
}
