namespace Silo.Client;

/// <summary>How a client reaches a cluster.</summary>
public sealed record SiloClientOptions
{
    /// <summary>Gateways, <c>host:port</c>; at least one. The client moves to another when one is lost.</summary>
    public required IReadOnlyList<string> Gateways { get; init; }

    /// <summary>The cluster's id.</summary>
    public string ClusterId { get; init; } = "silo";

    /// <summary>The service's id.</summary>
    public string ServiceId { get; init; } = "silo";

    /// <summary>The token that every call carries, or null (development hosts ask for none).</summary>
    public string? Token { get; init; }

    /// <summary>The client's certificate, PEM; null for no TLS (development hosts alone).</summary>
    public string? CertificateFile { get; init; }

    /// <summary>Its private key, PEM.</summary>
    public string? KeyFile { get; init; }

    /// <summary>The authority that signed the hosts' certificates, PEM.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>How long to try before a gateway is said to be out of reach. Default 20 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(20);
}
