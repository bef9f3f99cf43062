namespace Silo.Core;

/// <summary>
/// Something a user gave cannot be used. The message is one line, ready to be shown: it names the place and the cause.
/// </summary>
public sealed class SiloException : Exception
{
    /// <summary>Creates the exception with the line to show.</summary>
    public SiloException(string message) : base(message) { }

    /// <summary>Creates the exception with the line to show and what caused it.</summary>
    public SiloException(string message, Exception inner) : base(message, inner) { }
}
