using System.Diagnostics;
using System.Text;

namespace Silo.TestKit.Servers;

/// <summary>
/// A server that a test starts, and that is gone when the test process is, however that ends: a shell holds it, and ends
/// it when its standard input does.
/// </summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _shell;
    private readonly StringBuilder _said = new();

    /// <summary>Starts a server.</summary>
    /// <param name="signal">What ends it, as <c>kill</c> names it.</param>
    /// <param name="command">Program and arguments.</param>
    public ServerProcess(string signal, IEnumerable<string> command)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        start.ArgumentList.Add("-c");
        // The server's own input is nothing; cat ends with the input of the shell.
        start.ArgumentList.Add($"\"$@\" </dev/null & server=$!; cat >/dev/null; kill -{signal} $server 2>/dev/null; wait $server");
        start.ArgumentList.Add("sh");
        foreach (var argument in command) start.ArgumentList.Add(argument);
        _shell = Process.Start(start)!;
        _shell.OutputDataReceived += (_, line) => Hear(line.Data);
        _shell.ErrorDataReceived += (_, line) => Hear(line.Data);
        _shell.BeginOutputReadLine();
        _shell.BeginErrorReadLine();
    }

    /// <summary>What it has said.</summary>
    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    /// <summary>Ends it, and waits until it has.</summary>
    public async Task StopAsync()
    {
        if (!_shell.HasExited) _shell.StandardInput.Close();
        await _shell.WaitForExitAsync();
    }

    /// <summary>Waits for something that a server that has just started does sooner or later.</summary>
    /// <exception cref="InvalidOperationException">A minute has passed.</exception>
    public async Task UntilAsync(Func<Task<bool>> ready, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await ready())
        {
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromMinutes(1)) throw new InvalidOperationException($"{what} does not answer:\n{Said}");
            await Task.Delay(50);
        }
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">Its exit code is not 0.</exception>
    public static async Task<string> RunAsync(IReadOnlyList<string> command)
    {
        var (code, output) = await TryRunAsync(command);
        return code == 0 ? output : throw new InvalidOperationException($"{string.Join(' ', command)} ended with exit code {code}:\n{output}");
    }

    /// <summary>Runs a program to its end, whatever that is.</summary>
    public static async Task<(int Code, string Output)> TryRunAsync(IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_shell.HasExited) _shell.StandardInput.Close();
        _shell.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null) return;
        lock (_said) _said.AppendLine(line);
    }
}
