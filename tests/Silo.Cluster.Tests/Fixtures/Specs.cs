using Silo.Experiments.Generation;
using Silo.Experiments.Spec;
using Silo.Local.Models;
using Silo.Local.Running;

namespace Silo.Cluster.Tests.Fixtures;

/// <summary>Experiments to run, and what one patient machine makes of them.</summary>
internal static class Specs
{
    public static ExperimentSpec Small(int prompts, string name = "small") => new()
    {
        Name = name,
        Seed = 7,
        Prompts = [.. Enumerable.Range(1, prompts).Select(i => new Prompt($"p{i}", $"Once upon a time, number {i}"))],
        Temperatures = [0.3, 0.8, 1.5],
        MaxTokens = 6,
        CaptureK = 20,
        ReferenceTemperatures = [],
    };

    /// <summary>The digest of <c>silo run</c>.</summary>
    public static async Task<string> LocalDigestAsync(ExperimentSpec spec, IGenerationEngine engine)
    {
        var folder = Path.Combine(Path.GetTempPath(), "silo-test-" + Path.GetRandomFileName());
        try
        {
            await using var model = new LocalModel(engine);
            var request = new RunRequest { Spec = spec, Directory = folder, Model = model, WriteReport = false };
            await foreach (var happened in ExperimentRunner.RunAsync(request, TestContext.Current.CancellationToken, TestContext.Current.CancellationToken))
                if (happened is RunEvent.Done done) return done.Digest;
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
        throw new InvalidOperationException("the local run did not come to its end");
    }
}
