using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Silo.EndToEnd;

/// <summary>What a process said and how it ended.</summary>
internal sealed record Outcome(int ExitCode, string Out, string Error)
{
    /// <summary>The lines of standard output.</summary>
    public string[] Lines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The last line of standard output as JSON; fails, showing what was said, where the command failed.</summary>
    public JsonElement Json
    {
        get
        {
            Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Error}");
            return JsonElement.Parse(Lines[^1]);
        }
    }

    /// <summary>Asserts that the command refused in one line that holds all of the given pieces.</summary>
    public void Refuses(params string[] pieces)
    {
        Assert.True(ExitCode is 1 or 2, $"exit code {ExitCode}\n{Out}\n{Error}");
        Assert.True(Error.EndsWith('\n') && Error.Count(c => c == '\n') == 1, $"not one line:\n{Error}");
        Assert.DoesNotContain("internal error", Error, StringComparison.Ordinal);
        foreach (var piece in pieces) Assert.Contains(piece, Error, StringComparison.Ordinal);
    }
}

/// <summary>Runs the built command <c>silo</c> as a user does: as a process.</summary>
internal static class SiloProcess
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    /// <summary>The built command.</summary>
    public static string Executable { get; } = Path.Combine(
        Shared.Repository, "src", "Silo.Cli", "bin", Configuration, "net10.0", OperatingSystem.IsWindows() ? "silo.exe" : "silo");

    /// <summary>The build configuration of this test, which is that of the command.</summary>
    public static string Configuration => Path.GetFileName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)))!;

    /// <summary>Runs a command line to its end.</summary>
    public static Task<Outcome> RunAsync(params string[] args) => RunInAsync(Executable, Environment.CurrentDirectory, args);

    /// <summary>Runs a command line of a certain executable in a certain directory to its end.</summary>
    public static async Task<Outcome> RunInAsync(string executable, string directory, params string[] args)
    {
        using var process = Start(executable, directory, args);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(s_limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new Outcome(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Starts a command line; the caller reads its streams and ends it.</summary>
    public static Process Start(string executable, string directory, params string[] args) => Start(executable, directory, ("LC_NUMERIC", "de_DE.UTF-8"), args);

    /// <summary>Starts a command line with an environment variable.</summary>
    public static Process Start(string executable, string directory, (string Name, string Value) variable, string[] args)
    {
        var start = new ProcessStartInfo(executable, args)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        // A culture with a decimal comma must change nothing.
        start.Environment["LANG"] = "de_DE.UTF-8";
        start.Environment[variable.Name] = variable.Value;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }
}
