using System.Diagnostics;
using System.Globalization;

namespace Silo.EndToEnd.Running;

public sealed class InterruptionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Killed_twice_at_any_moment_a_run_ends_with_the_digest_of_an_undisturbed_one()
    {
        var experiment = new Experiment(_folder);
        var undisturbed = (await experiment.RunAsync(_folder["undisturbed"])).Json;
        Assert.Equal(60, undisturbed.GetProperty("generations").GetInt32());
        var rounds = Environment.GetEnvironmentVariable("SILO_LONG") == "1" ? 50 : 3;
        for (var round = 0; round < rounds; round++)
        {
            var random = new Random(round);
            var run = _folder[string.Create(CultureInfo.InvariantCulture, $"run{round}")];
            for (var kill = 0; kill < 2; kill++)
            {
                using var process = experiment.Start(run);
                // Some are killed before the first text, even before there is a directory; the others among the texts.
                if (random.Next(3) > 0) await Experiment.TextsAsync(process, random.Next(1, 25));
                await Task.Delay(random.Next(400), TestContext.Current.CancellationToken);
                await Experiment.KillAsync(process);
            }
            var end = (await experiment.RunAsync(run)).Json;
            Assert.Equal(undisturbed.GetProperty("digest").GetString(), end.GetProperty("digest").GetString());
            Assert.Equal(60, end.GetProperty("generations").GetInt32());
        }
    }

    [Fact]
    public async Task A_text_that_was_told_is_there_after_a_kill()
    {
        var experiment = new Experiment(_folder);
        using var process = experiment.Start(_folder["run"]);
        var told = await Experiment.TextsAsync(process, 7);
        await Experiment.KillAsync(process);
        Assert.Equal(7, told);
        var again = await experiment.RunAsync(_folder["run"]);
        var started = System.Text.Json.JsonElement.Parse(again.Lines[0]);
        Assert.Equal("started", started.GetProperty("event").GetString());
        Assert.InRange(started.GetProperty("kept").GetInt32(), told, 60);
        Assert.Equal(60 - started.GetProperty("kept").GetInt32(), again.Lines.Count(l => l.StartsWith("{\"event\":\"generation\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_first_interrupt_finishes_what_is_in_flight_and_the_same_command_goes_on()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a process cannot send Ctrl-C to another one on Windows");
        var experiment = new Experiment(_folder);
        using var process = experiment.Start(_folder["run"]);
        Assert.Equal(1, await Experiment.TextsAsync(process, 1));
        using (var signal = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]))
            await signal.WaitForExitAsync(TestContext.Current.CancellationToken);
        var last = "";
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line) last = line;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Contains("finishing what is in flight", await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var ended = System.Text.Json.JsonElement.Parse(last).GetProperty("event").GetString();
        Assert.Contains(ended, (string?[])["stopped", "done"]);
        Assert.Equal(ended == "done" ? 0 : 1, process.ExitCode);

        var end = (await experiment.RunAsync(_folder["run"])).Json;
        Assert.Equal((await experiment.RunAsync(_folder["undisturbed"])).Json.GetProperty("digest").GetString(), end.GetProperty("digest").GetString());
    }

    [Fact]
    public async Task Of_two_processes_on_one_directory_the_second_is_refused()
    {
        var experiment = new Experiment(_folder);
        using var first = experiment.Start(_folder["run"]);
        Assert.Equal(1, await Experiment.TextsAsync(first, 1));
        (await experiment.RunAsync(_folder["run"])).Refuses(_folder["run"], "another process is writing to this run");
        await Experiment.KillAsync(first);
        Assert.Equal(60, (await experiment.RunAsync(_folder["run"])).Json.GetProperty("generations").GetInt32());
    }

    [Fact]
    public async Task A_full_disk_is_told_in_one_line_and_the_run_goes_on_once_there_is_room()
    {
        var experiment = new Experiment(_folder);
        var disk = Directory.CreateDirectory(_folder["disk"]).FullName;
        if (!await MountAsync("-t", "tmpfs", "-o", "size=700k", "tmpfs", disk))
            Assert.Skip("mounting a small tmpfs is not permitted here (it needs root: sudo dotnet test tests/Silo.EndToEnd)");
        try
        {
            var run = Path.Combine(disk, "run");
            (await experiment.RunAsync(run)).Refuses("run.db", "full", "run the same command again");
            Assert.True(await MountAsync("-o", "remount,size=64m", disk));
            var end = (await experiment.RunAsync(run)).Json;
            Assert.Equal((await experiment.RunAsync(_folder["undisturbed"])).Json.GetProperty("digest").GetString(), end.GetProperty("digest").GetString());
        }
        finally
        {
            using var unmount = Process.Start("umount", [disk]);
            await unmount.WaitForExitAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task A_finished_run_answers_again_and_a_changed_one_is_refused_with_the_difference()
    {
        var experiment = new Experiment(_folder);
        var first = (await experiment.RunAsync(_folder["run"])).Json;
        var again = await experiment.RunAsync(_folder["run"]);
        Assert.Equal(first.GetRawText(), again.Json.GetRawText());
        Assert.DoesNotContain(again.Lines, l => l.StartsWith("{\"event\":\"generation\"", StringComparison.Ordinal));
        File.WriteAllText(experiment.File, File.ReadAllText(experiment.File).Replace("\"max_tokens\": 60", "\"max_tokens\": 61", StringComparison.Ordinal));
        (await experiment.RunAsync(_folder["run"])).Refuses(_folder["run"], "max_tokens: 60 -> 61", "--fresh");
    }

    private static async Task<bool> MountAsync(params string[] args)
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            using var mount = Process.Start(new ProcessStartInfo("mount", args) { RedirectStandardError = true })!;
            await mount.WaitForExitAsync(TestContext.Current.CancellationToken);
            return mount.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
