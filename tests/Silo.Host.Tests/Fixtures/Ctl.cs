namespace Silo.Host.Tests.Fixtures;

/// <summary>The command <c>siloctl</c> as a process, with how it reaches a cluster.</summary>
internal sealed class Ctl(params string[] connection)
{
    public static string Executable { get; } = Path.Combine(Shared.Repository, "src", "Silo.Ctl", "bin", SiloProcess.Configuration, "net10.0", "siloctl");

    /// <summary>Runs a command to its end; the result is the last line, as JSON.</summary>
    public Task<Outcome> RunAsync(params string[] command) => SiloProcess.RunInAsync(Executable, Path.GetTempPath(), All(command));

    /// <summary>Starts a command that goes on beside the test.</summary>
    public HeldProcess Start(params string[] command) => new(Executable, All(command));

    // However busy the machine.
    private string[] All(string[] command) => [.. command, .. connection, .. connection.Contains("--connect-timeout") ? [] : (string[])["--connect-timeout", "120"], "--json"];
}
