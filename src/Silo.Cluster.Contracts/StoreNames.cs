namespace Silo.Cluster.Contracts;

/// <summary>Names of the two grain-storage providers that every host registers.</summary>
public static class StoreNames
{
    /// <summary>State: small, written often.</summary>
    public const string Main = "silo";

    /// <summary>Prompts, texts, traces, sums: written seldom, larger (blobs on Azure, a table on PostgreSQL).</summary>
    public const string Traces = "traces";
}
