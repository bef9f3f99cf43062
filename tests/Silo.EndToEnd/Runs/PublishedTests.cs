namespace Silo.EndToEnd.Runs;

/// <summary>The published folder has all it needs, wherever it is called from.</summary>
public class PublishedTests
{
    [Fact]
    public async Task The_embedded_experiment_runs_from_a_published_folder_and_another_working_directory()
    {
        using var folder = new TemporaryFolder();
        var published = await SiloProcess.RunInAsync("dotnet", Shared.Repository,
            "publish", "src/Silo.Cli", "-c", SiloProcess.Configuration, "-o", folder["silo"], "--no-build", "-v", "q", "--nologo", "--disable-build-servers");
        Assert.True(published.ExitCode == 0, published.Out + published.Error);
        var silo = folder[$"silo/{Path.GetFileName(SiloProcess.Executable)}"];
        var elsewhere = Directory.CreateDirectory(folder["elsewhere"]).FullName;

        var help = await SiloProcess.RunInAsync(silo, elsewhere, "--help");
        Assert.Equal((0, ""), (help.ExitCode, help.Error));
        var text = (await SiloProcess.RunInAsync(silo, elsewhere, "generate", "--prompt", "The door was open.", "--max-tokens", "8", "--json")).Json;
        Assert.InRange(text.Items("tokens").Count(), 1, 8);

        var run = await SiloProcess.RunInAsync(silo, elsewhere, "run", "--json");
        Assert.Equal(("done", 120, 0), (run.Json.Text("event"), run.Json.Whole("generations"), run.Json.Whole("failed")));
        Assert.Matches("^[0-9a-f]{64}$", run.Json.Text("digest"));
        var report = Path.Combine(elsewhere, run.Json.Text("report"));
        Assert.Equal(Path.Combine(elsewhere, "runs", "before-and-after", "report.html"), report);
        Assert.True(new FileInfo(report).Length > 10_000);
        // The judge of the embedded run is no person, and no line of a gold may hide that.
        Assert.All(run.Lines.Where(line => line.Contains("\"event\":\"board\"", StringComparison.Ordinal)), line => Assert.Contains("\"heuristic\":true", line, StringComparison.Ordinal));

        var plain = await SiloProcess.RunInAsync(silo, elsewhere, "run");
        Assert.Equal(0, plain.ExitCode);
        Assert.Contains("heuristic judge, which is no person", plain.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', plain.Out);
        Assert.Contains(run.Json.Text("digest"), plain.Out, StringComparison.Ordinal);
    }
}
