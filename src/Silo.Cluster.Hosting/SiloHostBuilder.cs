using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Security;
using Silo.Cluster.Hosting.Health;
using Silo.Cluster.Hosting.Security;
using Silo.Core;

namespace Silo.Cluster.Hosting;

/// <summary>
/// What all hosts share: configuration, Orleans, TLS, tokens, health. An executable adds the storage it can use, its
/// telemetry, and, if it makes texts, its engine.
/// </summary>
public sealed class SiloHostBuilder
{
    private readonly Dictionary<StorageKind, Action<ISiloBuilder, SiloHostOptions>> _storages = [];

    private SiloHostBuilder(WebApplicationBuilder web, SiloHostOptions options) => (Web, Options) = (web, options);

    /// <summary>The web host that carries /metrics and /health.</summary>
    public WebApplicationBuilder Web { get; }

    /// <summary>The host's options.</summary>
    public SiloHostOptions Options { get; }

    /// <summary>What placement may know of this host; filled by the engine's registration.</summary>
    public Dictionary<string, string> Metadata { get; } = [];

    /// <summary>Grain classes by simple name that this host must not activate although it references them.</summary>
    public Func<Type, bool> ExcludedGrains { get; set; } = _ => false;

    /// <summary>Reads the options and prepares the host.</summary>
    /// <exception cref="SiloException">A setting is missing or wrong.</exception>
    public static SiloHostBuilder Create(string[] args)
    {
        var web = WebApplication.CreateSlimBuilder(args);
        // Every scrape and probe would be a line; whoever wants them sets another level.
        web.Configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = [new("Logging:LogLevel:Microsoft.AspNetCore", "Warning"), new("Logging:LogLevel:Polly", "Warning")],
        });
        var options = new SiloHostOptions();
        try
        {
            web.Configuration.GetSection("Silo").Bind(options, o => o.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException e)
        {
            throw new SiloException($"configuration, section Silo: {e.Message}{(e.InnerException is { } inner ? $" {inner.Message}" : "")}", e);
        }
        options.Validate();
        return new SiloHostBuilder(web, options);
    }

    /// <summary>Says how a kind of storage is registered.</summary>
    public SiloHostBuilder AddStorage(StorageKind kind, Action<ISiloBuilder, SiloHostOptions> register)
    {
        _storages[kind] = register;
        return this;
    }

    /// <summary>Builds the host.</summary>
    /// <exception cref="SiloException">The chosen storage is not part of this executable, or a secret cannot be read.</exception>
    public WebApplication Build()
    {
        var services = Web.Services;
        services.AddSingleton(Options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ClusterMetrics>();
        Web.WebHost.ConfigureKestrel(kestrel =>
        {
            if (Options.Development) kestrel.ListenLocalhost(Options.HttpPort);
            else kestrel.ListenAnyIP(Options.HttpPort);
            kestrel.AddServerHeader = false;
        });
        services.AddHealthChecks()
            .AddCheck<MembershipCheck>("membership", tags: ["ready"])
            .AddCheck<StorageCheck>("storage", tags: ["ready"]);
        services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(Options.DrainSeconds));
        Web.UseOrleans(ConfigureSilo);

        var app = Web.Build();
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready") });
        if (Options.Development)
            HostLog.Open(app.Services.GetRequiredService<ILoggerFactory>().CreateLogger<SiloHostBuilder>(), Options.GatewayPort);
        return app;
    }

    private void ConfigureSilo(ISiloBuilder silo)
    {
        silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (Options.ClusterId, Options.ServiceId));
        if (Options.Development) MemoryStorage.Register(silo, Options);
        else if (_storages.TryGetValue(Options.Storage, out var register)) register(silo, Options);
        else throw new SiloException($"Silo:Storage is {Options.Storage}: this executable has {string.Join(", ", _storages.Keys)}");
        ConfigureEndpoints(silo);
        ConfigureSecurity(silo);
        silo.AddSiloCluster(Metadata, ExcludedGrains);
    }

    private void ConfigureEndpoints(ISiloBuilder silo)
    {
        if (Options.Development) return; // Localhost clustering has set them to loopback.
        var address = Options.AdvertisedAddress is { } given ? IPAddress.Parse(given) : OwnAddress();
        silo.Configure<EndpointOptions>(o =>
        {
            o.AdvertisedIPAddress = address;
            o.SiloPort = Options.SiloPort;
            o.SiloListeningEndpoint = new IPEndPoint(IPAddress.Any, Options.SiloPort);
            // No port for clients where none may connect.
            o.GatewayPort = Options.HasGateway ? Options.GatewayPort : 0;
            if (Options.HasGateway) o.GatewayListeningEndpoint = new IPEndPoint(IPAddress.Any, Options.GatewayPort);
        });
    }

    private void ConfigureSecurity(ISiloBuilder silo)
    {
        if (Options.Development) return;
        var keys = AccessTokens.ReadKeys(SiloHostOptions.ReadSecret(Options.Tokens.KeyFile, "Silo:Tokens:KeyFile"), Options.Tokens.KeyFile!);
        silo.AddSiloTokens(keys);
        silo.UseCountedTls(tls => MutualTls.Configure(tls, Options.Tls.CertificateFile, Options.Tls.KeyFile, Options.Tls.AuthorityFile));
    }

    private static IPAddress OwnAddress() =>
        Array.Find(Dns.GetHostAddresses(Dns.GetHostName()), a => a.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork && !IPAddress.IsLoopback(a))
        ?? throw new SiloException($"the host name '{Dns.GetHostName()}' has no address that others can reach: set Silo:AdvertisedAddress");
}
