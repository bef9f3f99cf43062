namespace Silo.Cluster.Contracts.Security;

/// <summary>The call carries no token that allows it. Nothing was done.</summary>
[GenerateSerializer, Alias("silo.AccessDenied")]
public sealed class AccessDeniedException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was refused and why, without any part of the token.</param>
    public AccessDeniedException(string message) : base(message) { }
}
