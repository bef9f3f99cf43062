using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Silo.EndToEnd.Running;

/// <summary>A small experiment on a small model, and processes that run it.</summary>
internal sealed class Experiment(TemporaryFolder folder)
{
    public string File { get; } = folder.Write("experiment.json", Json(Shared.Path("models/stories260k/stories260K-f32.gguf")));

    /// <summary>Runs to the end.</summary>
    /// <param name="directory">The run directory.</param>
    public Task<Outcome> RunAsync(string directory) => SiloProcess.RunAsync("run", File, "--out", directory, "--json");

    /// <summary>Starts a run; the caller ends it.</summary>
    public Process Start(string directory) => SiloProcess.Start(SiloProcess.Executable, Environment.CurrentDirectory, "run", File, "--out", directory, "--json");

    /// <summary>Waits until a process has told so many texts, or has ended.</summary>
    /// <returns>How many it told.</returns>
    public static async Task<int> TextsAsync(Process process, int count)
    {
        var told = 0;
        while (told < count && await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
            if (JsonElement.Parse(line).GetProperty("event").GetString() == "generation") told++;
        return told;
    }

    /// <summary>Ends a process as kill -9 does.</summary>
    public static async Task KillAsync(Process process)
    {
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    private static string Json(string model)
    {
        var json = new StringBuilder("{ \"name\": \"small\", \"max_tokens\": 60, \"model\": ");
        json.Append(JsonSerializer.Serialize(model)).Append(", \"prompts\": [");
        for (var i = 0; i < 20; i++) json.Append(CultureInfo.InvariantCulture, $"{(i > 0 ? ", " : "")}\"Once there was a number {i} who\"");
        return json.Append("] }").ToString();
    }
}
