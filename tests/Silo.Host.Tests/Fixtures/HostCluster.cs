using Silo.Cluster.Contracts.Security;
using Silo.TestKit.Servers;

namespace Silo.Host.Tests.Fixtures;

/// <summary>
/// A cluster as it is run: an orchestrator, a gateway and two inference hosts as processes, which find each other and keep
/// their state in PostgreSQL, speak TLS with certificates of one authority, and ask for tokens. The first test that needs
/// it starts it; every test leaves it whole.
/// </summary>
public sealed class HostCluster : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private Task? _starting;
    private PostgresServer? _postgres;
    private Certificates? _certificates;
    private string[] _settings = [];

    internal HostProcess Orchestrator { get; private set; } = null!;

    internal HostProcess Gateway { get; private set; } = null!;

    internal HostProcess[] Inference { get; private set; } = [];

    internal IEnumerable<HostProcess> Hosts => [Orchestrator, Gateway, .. Inference];

    /// <summary>The command line of somebody who may do everything.</summary>
    internal Ctl Ctl => new(Connection(TokenFile("all", Everything, "*", TimeSpan.FromHours(1))));

    internal const Access Everything = Access.Submit | Access.Rank | Access.Read | Access.Operate;

    /// <summary>Prometheus, which has watched from the beginning; null where it is not installed.</summary>
    internal PrometheusServer? Prometheus { get; private set; }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Starts the cluster if that was not done; skips the running test, by name, where PostgreSQL is not installed.</summary>
    internal Task ReadyAsync() => _starting ??= StartAsync();

    /// <summary>A file with a token.</summary>
    internal string TokenFile(string name, Access access, string experiment, TimeSpan holds, byte[]? signedWith = null) =>
        _folder.Write(name + ".token", new AccessTokens([signedWith ?? _key], TimeProvider.System).Issue(new AccessGrant("tester", access, experiment), holds));

    /// <summary>How a client with a token reaches the cluster.</summary>
    internal string[] Connection(string? tokenFile)
    {
        var (certificate, certificateKey) = _certificates!.Sign("client");
        return
        [
            "--gateway", Gateway.Gateway, "--cert", certificate, "--key", certificateKey, "--ca", _certificates.AuthorityFile,
            .. tokenFile is null ? [] : (string[])["--token-file", tokenFile],
        ];
    }

    /// <summary>A certificate of the cluster's authority.</summary>
    internal (string Certificate, string Key) Sign(string subject, int days) => _certificates!.Sign(subject, days);

    internal string AuthorityFile => _certificates!.AuthorityFile;

    /// <summary>Starts one more host.</summary>
    /// <param name="role">Its role.</param>
    /// <param name="repository">The checkout that it was built in; null: this one.</param>
    /// <param name="others">Settings that differ from those of the cluster.</param>
    internal HostProcess Start(string role, string? repository = null, params string[] others) =>
        new(role == "Inference" ? "Silo.Host.Cpu" : "Silo.Host", [.. _settings, $"Silo:Role={role}", .. others], repository);

    /// <summary>What changes with every write of grain state: number and versions of all states.</summary>
    internal Task<string> StoredAsync() => _postgres!.QueryAsync("-c", "select count(*), sum(version) from silo_state");

    public async ValueTask DisposeAsync()
    {
        if (Prometheus is not null) await Prometheus.DisposeAsync();
        foreach (var host in Hosts.Where(h => h is not null)) await host.DisposeAsync();
        if (_postgres is not null) await _postgres.DisposeAsync();
        _certificates?.Dispose();
        _folder.Dispose();
    }

    private async Task StartAsync()
    {
        _postgres = await PostgresServer.StartNewAsync();
        _certificates = new Certificates(_folder, "cluster");
        var (certificate, certificateKey) = _certificates.Sign("host");
        _settings =
        [
            "Silo:Storage=Postgres", $"Silo:Postgres:ConnectionStringFile={_folder.Write("connection", _postgres.ConnectionString)}", "Silo:AdvertisedAddress=127.0.0.1",
            $"Silo:Tls:CertificateFile={certificate}", $"Silo:Tls:KeyFile={certificateKey}", $"Silo:Tls:AuthorityFile={_certificates.AuthorityFile}",
            $"Silo:Tokens:KeyFile={_folder.Write("token-keys", Convert.ToBase64String(_key))}", "Silo:Model:Threads=1",
        ];
        Orchestrator = Start("Orchestrator");
        Gateway = Start("Gateway");
        Inference = [Start("Inference"), Start("Inference")];
        Prometheus = PrometheusServer.StartNew(Hosts);
        foreach (var host in Hosts) await host.ReadyAsync();
    }
}

[CollectionDefinition(nameof(HostCluster))]
public sealed class HostClusterTests : ICollectionFixture<HostCluster>;
