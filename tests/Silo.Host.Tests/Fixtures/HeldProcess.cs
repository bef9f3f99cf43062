using System.Diagnostics;
using System.Text;

namespace Silo.Host.Tests.Fixtures;

/// <summary>
/// A process that a test starts and sends signals to, and that is gone when the test process is, however that ends: a
/// shell holds it, reads signals from its standard input, and kills it where that ends.
/// </summary>
internal sealed class HeldProcess : IAsyncDisposable
{
    private const string Holder = """
        # A signal to the whole group, as timeout sends one, must not let the held process go.
        trap : TERM INT HUP
        exec 3<&0
        "$@" </dev/null 3<&- &
        held=$!
        { trap : TERM INT HUP; while read -r signal; do kill -"$signal" $held; done; kill -KILL $held; } <&3 >/dev/null 2>&1 &
        reader=$!
        while kill -0 $held 2>/dev/null; do wait $held; code=$?; done
        kill -KILL $reader 2>/dev/null
        exit $code
        """;

    private readonly Process _shell;
    private readonly StringBuilder _said = new();

    public HeldProcess(string executable, IEnumerable<string> arguments, IEnumerable<(string Name, string Value)>? environment = null)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("hosts are held by a POSIX shell");
        var start = new ProcessStartInfo("/bin/sh", ["-c", Holder, "sh", executable, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var (name, value) in environment ?? []) start.Environment[name] = value;
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

    public bool HasEnded => _shell.HasExited;

    /// <summary>Sends a signal, as <c>kill</c> names it.</summary>
    public void Signal(string name)
    {
        _shell.StandardInput.WriteLine(name);
        _shell.StandardInput.Flush();
    }

    /// <summary>Waits for its end; its exit code, 128 + signal where one killed it.</summary>
    public async Task<int> EndAsync()
    {
        await _shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _shell.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_shell.HasExited) _shell.StandardInput.Close();
        await _shell.WaitForExitAsync();
        _shell.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null) return;
        lock (_said) _said.AppendLine(line);
    }
}
