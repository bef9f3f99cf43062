namespace Silo.Cluster.Contracts.Security;

/// <summary>Where a call carries its token: in Orleans' request context, under this name.</summary>
public static class CallToken
{
    /// <summary>The key in the request context.</summary>
    public const string ContextKey = "silo-token";
}
