using System.Net;
using System.Text.RegularExpressions;
using Silo.Core;

namespace Silo.Cluster.Hosting;

/// <summary>What a host does in the cluster.</summary>
public enum HostRole
{
    /// <summary>Everything in one process, for trying out.</summary>
    AllInOne,

    /// <summary>Grains of experiments, prompts and correlations; no clients.</summary>
    Orchestrator,

    /// <summary>Answers clients; holds no grains of ours.</summary>
    Gateway,

    /// <summary>Inference grains and their engine; no clients.</summary>
    Inference,
}

/// <summary>Where grain state, membership and reminders are kept.</summary>
public enum StorageKind
{
    /// <summary>In memory, for development: gone with the process.</summary>
    Memory,

    /// <summary>Azure tables and blobs.</summary>
    Azure,

    /// <summary>PostgreSQL.</summary>
    Postgres,
}

/// <summary>
/// A host's configuration, section <c>Silo</c>. Secrets (connection strings, keys) come from files that are named here,
/// never from this section itself, so that they are neither in a process list nor in a log.
/// </summary>
public sealed partial class SiloHostOptions
{
    /// <summary>What the host does.</summary>
    public HostRole Role { get; set; } = HostRole.AllInOne;

    /// <summary>
    /// Development: binds to loopback only, needs no token and no TLS, and says so. Allowed with
    /// <see cref="StorageKind.Memory"/> alone.
    /// </summary>
    public bool Development { get; set; }

    /// <summary>The cluster that hosts find each other in.</summary>
    public string ClusterId { get; set; } = "silo";

    /// <summary>The service that state belongs to; must never change for a campaign's lifetime.</summary>
    public string ServiceId { get; set; } = "silo";

    /// <summary>Where state is kept.</summary>
    public StorageKind Storage { get; set; } = StorageKind.Memory;

    /// <summary>Address that other hosts reach this one at; null: the first of the host's own name.</summary>
    public string? AdvertisedAddress { get; set; }

    /// <summary>Port between hosts.</summary>
    public int SiloPort { get; set; } = 11111;

    /// <summary>Port for clients; used by gateways and all-in-one hosts.</summary>
    public int GatewayPort { get; set; } = 30000;

    /// <summary>Port of /metrics and /health.</summary>
    public int HttpPort { get; set; } = 8080;

    /// <summary>
    /// Seconds that a host may take to hand over its grains when it is told to stop, 1 to 3600. Ten seconds later it ends
    /// whatever it waits for; whoever starts hosts waits longer than that before killing them.
    /// </summary>
    public int DrainSeconds { get; set; } = 60;

    /// <summary>Hours that a submission which has not started keeps its place among the open experiments when others need it, 1 to 8760.</summary>
    public int StartWithinHours { get; set; } = 24;

    /// <summary>TLS between hosts and with clients, mutual. Required unless <see cref="Development"/>.</summary>
    public TlsFiles Tls { get; set; } = new();

    /// <summary>Keys that tokens are signed with. Required unless <see cref="Development"/>.</summary>
    public TokenFiles Tokens { get; set; } = new();

    /// <summary>Azure storage.</summary>
    public ConnectionFile Azure { get; set; } = new();

    /// <summary>PostgreSQL.</summary>
    public ConnectionFile Postgres { get; set; } = new();

    /// <summary>The model of an inference host.</summary>
    public ModelOptions Model { get; set; } = new();

    /// <summary>Whether clients connect here.</summary>
    public bool HasGateway => Role is HostRole.AllInOne or HostRole.Gateway;

    /// <summary>Checks what can be checked without touching anything.</summary>
    /// <exception cref="SiloException">A setting is missing or contradicts another.</exception>
    public void Validate()
    {
        foreach (var (name, port) in (ReadOnlySpan<(string, int)>)[("SiloPort", SiloPort), ("GatewayPort", GatewayPort), ("HttpPort", HttpPort)])
            if (port is < 1 or > 65535) throw new SiloException($"Silo:{name} is {port}: expected a port from 1 to 65535");
        // It stands in keys, and in the name of a blob container.
        if (!ServicePattern().IsMatch(ServiceId))
            throw new SiloException($"Silo:ServiceId is '{ServiceId}': expected 1 to 40 of a-z and 0-9, with single '-' between them");
        if (DrainSeconds is < 1 or > 3600) throw new SiloException($"Silo:DrainSeconds is {DrainSeconds}: expected 1 to 3600");
        if (StartWithinHours is < 1 or > 8760) throw new SiloException($"Silo:StartWithinHours is {StartWithinHours}: expected 1 to 8760");
        if (AdvertisedAddress is { } address && !IPAddress.TryParse(address, out _))
            throw new SiloException($"Silo:AdvertisedAddress is '{address}': expected an IP address");
        if (Development)
        {
            if (Storage != StorageKind.Memory) throw new SiloException($"Silo:Development keeps its state in memory: Silo:Storage cannot be {Storage}");
            return;
        }
        if (Storage == StorageKind.Memory) throw new SiloException("Silo:Storage is Memory: expected Azure or Postgres (or Silo:Development=true)");
        Need(Tls.CertificateFile, "Silo:Tls:CertificateFile");
        Need(Tls.KeyFile, "Silo:Tls:KeyFile");
        Need(Tls.AuthorityFile, "Silo:Tls:AuthorityFile");
        Need(Tokens.KeyFile, "Silo:Tokens:KeyFile");
        if (Storage == StorageKind.Azure) Need(Azure.ConnectionStringFile, "Silo:Azure:ConnectionStringFile");
        if (Storage == StorageKind.Postgres) Need(Postgres.ConnectionStringFile, "Silo:Postgres:ConnectionStringFile");
    }

    /// <summary>Reads a secret from the file that a setting names.</summary>
    /// <exception cref="SiloException">The file cannot be read. Its content is never shown.</exception>
    public static string ReadSecret(string? path, string setting)
    {
        Need(path, setting);
        try
        {
            return File.ReadAllText(path!).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiloException($"{setting}: cannot read '{path}': {e.Message}", e);
        }
    }

    [GeneratedRegex("^(?=.{1,40}$)[a-z0-9]+(-[a-z0-9]+)*$", RegexOptions.CultureInvariant)]
    private static partial Regex ServicePattern();

    private static void Need(string? value, string name)
    {
        if (string.IsNullOrWhiteSpace(value)) throw new SiloException($"{name} is not set");
    }
}

/// <summary>Files of a TLS identity, PEM.</summary>
public sealed class TlsFiles
{
    /// <summary>The host's certificate (and intermediates).</summary>
    public string? CertificateFile { get; set; }

    /// <summary>Its private key.</summary>
    public string? KeyFile { get; set; }

    /// <summary>The authority that signs hosts and clients; no other is believed.</summary>
    public string? AuthorityFile { get; set; }
}

/// <summary>Where the token keys are.</summary>
public sealed class TokenFiles
{
    /// <summary>One Base64 key of at least 32 bytes a line; the first signs, all verify.</summary>
    public string? KeyFile { get; set; }
}

/// <summary>Where a connection string is.</summary>
public sealed class ConnectionFile
{
    /// <summary>File that holds the connection string.</summary>
    public string? ConnectionStringFile { get; set; }
}

/// <summary>An inference host's model.</summary>
public sealed class ModelOptions
{
    /// <summary>The name that experiments ask for; null: the model's own name.</summary>
    public string? Name { get; set; }

    /// <summary>The model's file or folder; null: the embedded one.</summary>
    public string? Path { get; set; }

    /// <summary>Where it is computed: <c>cpu</c>, <c>cuda</c>; null: what the executable is for.</summary>
    public string? Device { get; set; }

    /// <summary>Most rows that step together.</summary>
    public int MaxRows { get; set; } = 32;

    /// <summary>Threads of the engine; 0: one a core.</summary>
    public int Threads { get; set; }
}
