using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orleans.Connections.Security;
using Silo.Core;

namespace Silo.Cluster.Contracts.Security;

/// <summary>
/// Mutual TLS from files. Whoever speaks to a host shows a certificate that the cluster's own authority signed; public
/// authorities are not believed, so that no certificate from outside opens a port.
/// </summary>
public static class MutualTls
{
    /// <summary>Applies PEM files to Orleans' options: own certificate and key, and the one authority that is believed.</summary>
    /// <exception cref="SiloException">A file cannot be read or holds no certificate.</exception>
    public static void Configure(TlsOptions options, string? certificateFile, string? keyFile, string? authorityFile)
    {
        var own = Load(() => X509Certificate2.CreateFromPemFile(certificateFile!, keyFile!), $"certificate '{certificateFile}' with key '{keyFile}'");
        // SChannel needs a key that is not ephemeral; elsewhere this changes nothing.
        var identity = X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null);
        own.Dispose();
        var authority = Load(() => X509Certificate2.CreateFromPem(File.ReadAllText(authorityFile!)), $"authority '{authorityFile}'");
        options.LocalCertificate = identity;
        options.LocalClientCertificateSelector = (_, _, _, _, _) => identity;
        options.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        options.RemoteCertificateValidation = (certificate, _, errors) => IsTrusted(certificate, authority, errors);
        options.OnAuthenticateAsClient = (_, client) => client.TargetHost = "silo";
    }

    private static bool IsTrusted(X509Certificate2? certificate, X509Certificate2 authority, SslPolicyErrors errors)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable)) return false;
        // Hosts come and go under changing names: what counts is who signed, not the name.
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }

    private static X509Certificate2 Load(Func<X509Certificate2> load, string what)
    {
        try
        {
            return load();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new SiloException($"TLS {what}: {e.Message}", e);
        }
    }
}
