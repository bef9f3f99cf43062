using System.Security.Cryptography;
using Silo.Experiments.Generation;
using Silo.Experiments.Spec;
using Silo.Storage.Runs;

namespace Silo.Storage.Tests.Runs;

/// <summary>A small experiment and texts for it.</summary>
internal static class Sample
{
    public const string Engine = "toy/1; model sha256:00; scalar";

    public static readonly string[] Measures = ["leak.mean", "entropy_p.mean"];

    public static ExperimentSpec Spec(int prompts = 4) => new()
    {
        Name = "sample",
        Prompts = [.. Enumerable.Range(0, prompts).Select(i => new Prompt($"p{i}", $"Once {i}"))],
        Temperatures = [0.3, 1.5],
        Samples = 2,
    };

    public static RunStore Open(string path, ExperimentSpec? spec = null, bool fresh = false) =>
        RunStore.Open(path, spec ?? Spec(), "0.1.0", fresh, TimeProvider.System);

    public static GenerationRecord Record(GenerationKey key, string text = "a text", string engine = Engine) => new()
    {
        Key = key,
        Tokens = [7, key.Sample, -1, int.MaxValue],
        Text = text,
        Finish = key.Sample == 0 ? FinishReason.Stop : FinishReason.Length,
        Measures = [key.Temperature, double.NaN],
        FeatureHash = SHA256.HashData(BitConverter.GetBytes(key.Temperature)),
        Engine = engine,
        Trace = [1, 2, 3],
    };

    public static void KeepAll(RunStore store, int prompt) => store.Write(batch =>
    {
        for (var row = 0; row < store.Plan.Rows; row++) batch.Keep(prompt, row, Record(store.Plan.Key(prompt, row)), Measures);
    });
}
