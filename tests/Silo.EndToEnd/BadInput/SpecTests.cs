using Silo.EndToEnd.Runs;

namespace Silo.EndToEnd.BadInput;

/// <summary>Experiment files that cannot be used: one line with file, place and cause; no run directory is made.</summary>
public class SpecTests
{
    [Theory]
    [InlineData("", "small.json")]
    [InlineData("{", "small.json")]
    [InlineData("[]", "small.json")]
    [InlineData("""{ "name": "x", "prompts": ["a"], "temperatures": "hot" }""", "temperatures")]
    [InlineData("""{ "name": "x", "prompts": ["a"], "temperature": [1] }""", "temperature")]
    [InlineData("""{ "name": "x", "prompts": ["a"], "temperatures": [0] }""", "temperatures")]
    [InlineData("""{ "name": "x", "prompts": ["a"], "temperatures": [-1] }""", "temperatures")]
    [InlineData("""{ "name": "x", "prompts": ["a"], "temperatures": ["NaN"] }""", "temperatures")]
    [InlineData("""{ "name": "x", "prompts": ["a"], "temperatures": [NaN] }""", "small.json")]
    [InlineData("""{ "name": "x", "prompts": ["a"], "temperatures": [] }""", "temperatures")]
    [InlineData("""{ "name": "x", "prompts": [] }""", "prompts")]
    [InlineData("""{ "name": "x", "prompts": [{ "id": "p", "text": "a" }, { "id": "p", "text": "b" }] }""", "prompts")]
    [InlineData("""{ "name": "x", "prompts": ["a"], "max_tokens": 0 }""", "max_tokens")]
    [InlineData("""{ "name": "x", "prompts": ["a"], "capture_k": 1.5 }""", "capture_k")]
    [InlineData("""{ "name": "x", "prompts": ["a"], "primary_measures": ["nonsense"] }""", "nonsense")]
    [InlineData("""{ "name": "x", "prompts": "none.txt" }""", "none.txt")]
    [InlineData("""{ "name": "../x", "prompts": ["a"] }""", "name")]
    public async Task An_experiment_file_is_refused(string content, string named)
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("small.json", content);
        foreach (var mode in new[] { "--dry-run", "--json" })
        {
            var outcome = await SiloProcess.RunInAsync(SiloProcess.Executable, folder.Path, "run", file, mode, "--out", folder["run"]);
            outcome.Refuses(named == "none.txt" ? "" : "small.json", named);
            Assert.Equal("", outcome.Out);
        }
        Assert.False(Directory.Exists(folder["run"]));
    }

    [Fact]
    public async Task A_directory_that_cannot_be_written_and_a_model_that_is_none()
    {
        using var folder = new TemporaryFolder();
        var command = SmallSpec.Command(folder, "run");
        folder.Write("file", "");
        (await SiloProcess.RunAsync([.. command, "--out", folder["file/run"]])).Refuses("--out");
        command[^2] = folder["file/run"];
        (await SiloProcess.RunAsync(command)).Refuses(folder["file"]);
        command[^2] = folder["run"];
        command[3] = folder.Write("no.gguf", "no model");
        (await SiloProcess.RunAsync(command)).Refuses("no.gguf");
        if (OperatingSystem.IsLinux()) (await SiloProcess.RunAsync([.. command[..5], "/proc/nowhere/run"])).Refuses("/proc/nowhere");
    }

    [Fact]
    public async Task A_directory_of_something_else_is_left_alone()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["run"]);
        folder.Write("run/run.db", "not a database, but somebody's file");
        (await SiloProcess.RunAsync(SmallSpec.Command(folder, "run"))).Refuses(folder["run"]);
        Assert.Equal("not a database, but somebody's file", File.ReadAllText(folder["run/run.db"]));
    }

    [Fact]
    public async Task A_dry_run_prints_the_plan_and_does_nothing()
    {
        using var folder = new TemporaryFolder();
        var plan = (await SiloProcess.RunAsync([.. SmallSpec.Command(folder, "run"), "--dry-run"])).Json;
        Assert.Equal((SmallSpec.Texts, 20, SmallSpec.Texts * 80), (plan.Whole("generations"), plan.Whole("prompts"), plan.Whole("tokens")));
        Assert.True(plan.Whole("bytes") > 0);
        Assert.False(Directory.Exists(folder["run"]));
    }

    [Fact]
    public async Task A_new_experiment_file_can_be_run()
    {
        using var folder = new TemporaryFolder();
        var made = await SiloProcess.RunInAsync(SiloProcess.Executable, folder.Path, "new", "before-and-after", "--json");
        Assert.Equal("before-and-after.json", made.Json.Text("file"));
        Assert.Equal(120, (await SiloProcess.RunAsync("run", folder["before-and-after.json"], "--dry-run", "--json")).Json.Whole("generations"));
        (await SiloProcess.RunInAsync(SiloProcess.Executable, folder.Path, "new", "before-and-after")).Refuses("exists already");
        (await SiloProcess.RunAsync("new", "nonsense")).Refuses("nonsense");
    }
}
