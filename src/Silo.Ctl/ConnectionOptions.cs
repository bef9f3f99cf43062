using System.CommandLine;
using Silo.Client;
using Silo.Core;

namespace Silo.Ctl;

/// <summary>The options by which every command reaches the cluster.</summary>
internal sealed class ConnectionOptions
{
    private readonly Option<string[]> _gateway = New<string[]>("--gateway", "HOST:PORT", "A gateway, host:port; give several for safety. Default: SILO_GATEWAY (comma-separated), else 127.0.0.1:30000.");
    private readonly Option<string?> _tokenFile = New<string?>("--token-file", "FILE", "File that holds the access token. Default: SILO_TOKEN_FILE.");
    private readonly Option<string?> _certificate = New<string?>("--cert", "FILE", "Client certificate, PEM. Default: SILO_CERT.");
    private readonly Option<string?> _key = New<string?>("--key", "FILE", "Its private key, PEM. Default: SILO_KEY.");
    private readonly Option<string?> _authority = New<string?>("--ca", "FILE", "The authority of the hosts' certificates, PEM. Default: SILO_CA.");
    private readonly Option<string?> _cluster = New<string?>("--cluster-id", "ID", "The cluster's id. Default: silo.");
    private readonly Option<double> _connectTimeout = new("--connect-timeout") { HelpName = "SECONDS", Description = "Seconds to try before a gateway is said to be out of reach.", DefaultValueFactory = _ => 20, Recursive = true };
    private readonly Option<bool> _json = New<bool>("--json", null, "Machine-readable: one JSON object a line, the result last.");

    /// <summary>Whether JSON is asked for.</summary>
    public Option<bool> Json => _json;

    public void AddTo(Command root)
    {
        foreach (var option in (Option[])[_gateway, _tokenFile, _certificate, _key, _authority, _cluster, _connectTimeout, _json]) root.Add(option);
    }

    public Task<SiloClient> ConnectAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var gateways = parsed.GetValue(_gateway) is { Length: > 0 } given ? given
            : (Environment.GetEnvironmentVariable("SILO_GATEWAY") ?? "127.0.0.1:30000").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return SiloClient.ConnectAsync(new SiloClientOptions
        {
            Gateways = gateways,
            ConnectTimeout = parsed.GetValue(_connectTimeout) is > 0 and <= 3600 and var seconds ? TimeSpan.FromSeconds(seconds) : throw new SiloException("--connect-timeout: expected seconds, more than 0, at most 3600"),
            ClusterId = parsed.GetValue(_cluster) ?? "silo",
            Token = Or(parsed.GetValue(_tokenFile), "SILO_TOKEN_FILE") is { } file ? ReadToken(file) : null,
            CertificateFile = Or(parsed.GetValue(_certificate), "SILO_CERT"),
            KeyFile = Or(parsed.GetValue(_key), "SILO_KEY"),
            AuthorityFile = Or(parsed.GetValue(_authority), "SILO_CA"),
        }, cancellationToken);
    }

    private static Option<T> New<T>(string name, string? value, string description) => new(name) { Description = description, HelpName = value, Recursive = true };

    private static string? Or(string? given, string variable) => given ?? (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set ? set : null);

    private static string ReadToken(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiloException($"token file '{file}': {e.Message}", e);
        }
    }
}
