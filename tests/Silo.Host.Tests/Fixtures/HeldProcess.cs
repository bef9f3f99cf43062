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

    private readonly Process shell;
    private readonly StringBuilder said = new();

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
        shell = Process.Start(start)!;
        shell.OutputDataReceived += (_, line) => Hear(line.Data);
        shell.ErrorDataReceived += (_, line) => Hear(line.Data);
        shell.BeginOutputReadLine();
        shell.BeginErrorReadLine();
    }

    /// <summary>What it has said.</summary>
    public string Said
    {
        get
        {
            lock (said) return said.ToString();
        }
    }

    public bool HasEnded => shell.HasExited;

    /// <summary>Sends a signal, as <c>kill</c> names it.</summary>
    public void Signal(string name)
    {
        shell.StandardInput.WriteLine(name);
        shell.StandardInput.Flush();
    }

    /// <summary>Waits for its end; its exit code, 128 + signal where one killed it.</summary>
    public async Task<int> EndAsync()
    {
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        return shell.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!shell.HasExited) shell.StandardInput.Close();
        await shell.WaitForExitAsync();
        shell.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null) return;
        lock (said) said.AppendLine(line);
    }
}
