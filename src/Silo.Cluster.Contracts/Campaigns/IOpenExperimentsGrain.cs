using Silo.Cluster.Contracts.Security;

namespace Silo.Cluster.Contracts.Campaigns;

/// <summary>The experiments that are open; one grain, key 0, asked when an experiment is submitted, starts and ends.</summary>
[Alias("silo.open-experiments")]
public interface IOpenExperimentsGrain : IGrainWithIntegerKey
{
    /// <summary>Counts an experiment as open, or as still open; false where too many others are.</summary>
    [Alias("open")]
    Task<bool> Open(string experiment);

    /// <summary>Counts it no more.</summary>
    [Alias("close")]
    Task Close(string experiment);

    /// <summary>Ids of the open experiments.</summary>
    [Alias("list"), Requires(Access.Read)]
    Task<IReadOnlyList<string>> List();
}
