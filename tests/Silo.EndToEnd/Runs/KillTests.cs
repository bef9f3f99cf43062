using System.Globalization;
using System.Text.Json;

namespace Silo.EndToEnd.Runs;

/// <summary>kill -9 at moments that nothing in the run chooses: before there is a directory, among texts, at the end.</summary>
public class KillTests
{
    [Fact]
    public async Task Killed_at_any_moment_a_run_ends_with_the_digest_of_an_undisturbed_one()
    {
        using var folder = new TemporaryFolder();
        var undisturbed = (await SiloProcess.RunAsync(SmallSpec.Command(folder, "undisturbed"))).Json;
        var rounds = Environment.GetEnvironmentVariable("SILO_LONG") == "1" ? 50 : 1;
        for (var round = 0; round < rounds; round++)
        {
            var random = new Random(round);
            var command = SmallSpec.Command(folder, string.Create(CultureInfo.InvariantCulture, $"run{round}"));
            for (var kill = 0; kill < 3; kill++)
            {
                using var process = SiloProcess.Start(SiloProcess.Executable, folder.Path, command);
                await Task.Delay(random.Next(2_500), TestContext.Current.CancellationToken);
                process.Kill();
                await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            }
            var end = (await SiloProcess.RunAsync(command)).Json;
            Assert.Equal(undisturbed.GetProperty("digest").GetString(), end.GetProperty("digest").GetString());
            Assert.Equal(SmallSpec.Texts, end.GetProperty("generations").GetInt32());
        }
    }

    [Fact]
    public async Task A_text_that_was_told_is_there_after_a_kill()
    {
        using var folder = new TemporaryFolder();
        var command = SmallSpec.Command(folder, "run");
        var told = 0;
        using (var process = SiloProcess.Start(SiloProcess.Executable, folder.Path, command))
        {
            while (told < 7 && await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
                if (EventOf(line) == "generation") told++;
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        Assert.Equal(7, told);
        var again = await SiloProcess.RunAsync(command);
        Assert.Equal("started", EventOf(again.Lines[0]));
        var kept = JsonElement.Parse(again.Lines[0]).GetProperty("kept").GetInt32();
        Assert.InRange(kept, told, SmallSpec.Texts);
        Assert.Equal(SmallSpec.Texts - kept, again.Lines.Count(line => EventOf(line) == "generation"));
    }

    private static string? EventOf(string line) => JsonElement.Parse(line).GetProperty("event").GetString();
}
