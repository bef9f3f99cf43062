namespace Silo.Cli;

/// <summary>What the command says to the shell.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Failed: an input cannot be used, or the machine refused something.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage: the command line itself is wrong.</summary>
    public const int WrongUsage = 2;
}
