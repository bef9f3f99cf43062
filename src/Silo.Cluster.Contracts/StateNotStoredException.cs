namespace Silo.Cluster.Contracts;

/// <summary>
/// A change could not be stored, or it is not known whether it was: the store failed, or another activation wrote
/// meanwhile. The call may be made again.
/// </summary>
[GenerateSerializer, Alias("silo.state-not-stored")]
public sealed class StateNotStoredException : Exception
{
    /// <summary>Creates the exception with one line on what happened.</summary>
    public StateNotStoredException(string message) : base(message) { }
}
