using System.Runtime.InteropServices;

namespace Silo.Cli.Running;

/// <summary>
/// Ctrl-C and its like: the first asks to finish what is in flight, the second leaves at once. What was stored is safe
/// either way.
/// </summary>
internal sealed class Interrupts : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;

    public Interrupts() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
    ];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Stop => _stop.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _stop.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (_stop.IsCancellationRequested)
        {
            Terminal.ShowCursor();
            Terminal.WriteError("left at once; the same command goes on where it stopped");
            Environment.Exit(ExitCode.Failed);
        }
        Terminal.WriteError("finishing what is in flight; once more to leave at once");
        _stop.Cancel();
    }
}
