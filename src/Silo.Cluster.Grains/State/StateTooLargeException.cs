namespace Silo.Cluster.Grains.State;

/// <summary>State that would not fit into a provider's limit. Nothing was written.</summary>
[GenerateSerializer, Alias("silo.state-too-large")]
public sealed class StateTooLargeException : Exception
{
    /// <summary>Creates the exception.</summary>
    public StateTooLargeException(string kind, int bytes, int limit) : base($"{kind} state of {bytes} bytes is over the limit of {limit}") { }
}
