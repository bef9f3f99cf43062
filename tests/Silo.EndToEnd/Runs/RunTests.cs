using System.Diagnostics;
using System.Text.Json;

namespace Silo.EndToEnd.Runs;

/// <summary>Runs as a user has them: killed, interrupted, twice at a time, on a full disk.</summary>
public class RunTests
{
    [Fact]
    public async Task Killed_twice_at_random_it_ends_with_the_digest_of_an_undisturbed_run()
    {
        using var folder = new TemporaryFolder();
        var undisturbed = (await RunAsync(folder, "whole")).Json;
        Assert.Equal(("done", SmallSpec.Texts), (undisturbed.Text("event"), undisturbed.Whole("generations")));

        var random = new Random();
        var first = random.Next(1, SmallSpec.Texts / 3);
        var second = random.Next(1, SmallSpec.Texts / 3);
        await KillAfterAsync(first, SmallSpec.Command(folder, "killed"));
        await KillAfterAsync(second, SmallSpec.Command(folder, "killed"));
        var end = (await RunAsync(folder, "killed")).Json;
        Assert.True(undisturbed.Text("digest") == end.Text("digest"), $"killed after {first} and {second} texts: another digest");
        Assert.Equal(undisturbed.Whole("tokens"), end.Whole("tokens"));
    }

    [Fact]
    public async Task A_finished_run_answers_at_once_and_makes_nothing()
    {
        using var folder = new TemporaryFolder();
        var done = (await RunAsync(folder, "run")).Json;
        var again = await RunAsync(folder, "run");
        Assert.Equal(done.Text("digest"), again.Json.Text("digest"));
        Assert.DoesNotContain(again.Lines, line => line.Contains("\"event\":\"generation\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Neither_threads_nor_wide_instructions_change_the_digest()
    {
        using var folder = new TemporaryFolder();
        var one = (await RunAsync(folder, "one", "--threads", "1")).Json.Text("digest");
        Assert.Equal(one, (await RunAsync(folder, "three", "--threads", "3")).Json.Text("digest"));
        using var narrow = SiloProcess.Start(SiloProcess.Executable, folder.Path, ("DOTNET_EnableAVX512", "0"), SmallSpec.Command(folder, "narrow"));
        var lines = (await narrow.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(one, JsonElement.Parse(lines[^1]).Text("digest"));
    }

    [Fact]
    public async Task Interrupted_it_finishes_what_is_in_flight_and_goes_on_from_there_and_twice_leaves_at_once()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows sends no SIGINT to a single process");
        using var folder = new TemporaryFolder();
        JsonElement stopped;
        using (var process = StartInterruptible(folder, SmallSpec.LongCommand(folder, "run")))
        {
            await AwaitAsync(process, "generation", 3);
            await InterruptAsync(process);
            var rest = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Contains("finishing what is in flight", await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            Assert.Equal(1, process.ExitCode);
            stopped = JsonElement.Parse(rest.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);
            Assert.Equal("stopped", stopped.Text("event"));
            Assert.InRange(stopped.Whole("kept"), 3, 2999);
        }
        using (var process = StartInterruptible(folder, SmallSpec.LongCommand(folder, "run")))
        {
            Assert.Equal(stopped.Whole("kept"), (await AwaitAsync(process, "started", 1)).Whole("kept"));
            await AwaitAsync(process, "generation", 1);
            await InterruptAsync(process);
            await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
            await InterruptAsync(process);
            var rest = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.Contains("left at once", await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(1, process.ExitCode);
            Assert.DoesNotContain("\"event\":\"stopped\"", await rest, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_second_process_on_the_directory_is_refused()
    {
        using var folder = new TemporaryFolder();
        var command = SmallSpec.LongCommand(folder, "run");
        using var first = SiloProcess.Start(SiloProcess.Executable, folder.Path, command);
        await AwaitAsync(first, "generation", 1);
        var second = await SiloProcess.RunAsync(command);
        first.Kill(entireProcessTree: true);
        await first.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, second.ExitCode);
        second.Refuses(folder["run"]);
        // The lock is the operating system's: it died with its process.
        using var third = SiloProcess.Start(SiloProcess.Executable, folder.Path, command);
        Assert.NotEqual(0, (await AwaitAsync(third, "started", 1)).Whole("kept"));
        third.Kill(entireProcessTree: true);
        await third.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_changed_spec_is_refused_with_the_difference_and_fresh_begins_anew()
    {
        using var folder = new TemporaryFolder();
        var before = (await RunAsync(folder, "run")).Json.Text("digest");
        var changed = folder.Write("small.json", SmallSpec.Json.Replace("\"max_tokens\": 80", "\"max_tokens\": 60", StringComparison.Ordinal));
        string[] command = ["run", changed, "--model", SmallSpec.Model, "--out", folder["run"], "--json"];
        var refused = await SiloProcess.RunAsync(command);
        Assert.Equal(1, refused.ExitCode);
        refused.Refuses("max_tokens", "80", "60");
        Assert.NotEqual(before, (await SiloProcess.RunAsync([.. command, "--fresh"])).Json.Text("digest"));
    }

    [Fact]
    public async Task A_full_disk_is_said_and_the_run_goes_on_when_there_is_room()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("needs a tmpfs");
        using var folder = new TemporaryFolder();
        var disk = Directory.CreateDirectory(folder["disk"]).FullName;
        if (await ShellAsync(folder, $"mount -t tmpfs -o size=64k tmpfs '{disk}'") is { ExitCode: not 0 } refused)
            Assert.Skip($"may not mount a tmpfs (unshare --user --map-root-user --mount): {refused.Error.Trim()}");
        var command = $"'{SiloProcess.Executable}' {string.Join(' ', SmallSpec.Command(folder, "disk/run").Select(argument => $"'{argument}'"))}";
        var outcome = await ShellAsync(folder, $"""
            mount -t tmpfs -o size=700k tmpfs '{disk}'
            {command} >'{folder["full.out"]}' 2>'{folder["full.err"]}'
            echo $? >'{folder["full.code"]}'
            mount -o remount,size=100m tmpfs '{disk}'
            exec {command}
            """);
        Assert.Equal("1", File.ReadAllText(folder["full.code"]).Trim());
        new Outcome(1, "", File.ReadAllText(folder["full.err"])).Refuses("disk");
        Assert.Equal((await RunAsync(folder, "whole")).Json.Text("digest"), outcome.Json.Text("digest"));
    }

    private static Task<Outcome> RunAsync(TemporaryFolder folder, string run, params string[] more) =>
        SiloProcess.RunAsync([.. SmallSpec.Command(folder, run), .. more]);

    /// <summary>Runs a script in a mount namespace of its own.</summary>
    private static Task<Outcome> ShellAsync(TemporaryFolder folder, string script) =>
        SiloProcess.RunInAsync("unshare", folder.Path, "--user", "--map-root-user", "--mount", "sh", "-c", script);

    /// <summary>Runs a command line and kills it when it has told of so many texts, if it has not ended by then.</summary>
    private static async Task KillAfterAsync(int texts, string[] command)
    {
        using var process = SiloProcess.Start(SiloProcess.Executable, Environment.CurrentDirectory, command);
        for (string? line = ""; line is not null && texts > 0;)
        {
            line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            if (line?.Contains("\"event\":\"generation\"", StringComparison.Ordinal) == true) texts--;
        }
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Reads until so many events of a kind came; returns the last.</summary>
    private static async Task<JsonElement> AwaitAsync(Process process, string kind, int count)
    {
        while (true)
        {
            var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)
                ?? throw new InvalidOperationException($"ended early: {await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)}");
            if (line.Contains($"\"event\":\"{kind}\"", StringComparison.Ordinal) && --count == 0) return JsonElement.Parse(line);
        }
    }

    /// <summary>A test run in the background inherits that SIGINT is ignored, and would hand it on: env restores the default.</summary>
    private static Process StartInterruptible(TemporaryFolder folder, string[] command) => OperatingSystem.IsLinux()
        ? SiloProcess.Start("env", folder.Path, ["--default-signal=INT", SiloProcess.Executable, .. command])
        : SiloProcess.Start(SiloProcess.Executable, folder.Path, command);

    private static async Task InterruptAsync(Process process)
    {
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
