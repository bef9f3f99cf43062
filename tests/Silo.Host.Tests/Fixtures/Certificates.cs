using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Silo.Host.Tests.Fixtures;

/// <summary>An authority of a test's own, and what it signs, as PEM files in a folder.</summary>
internal sealed class Certificates : IDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly string _name;
    private readonly X509Certificate2 _authority;

    public Certificates(TemporaryFolder folder, string name)
    {
        (_folder, _name) = (folder, name);
        var request = new CertificateRequest($"CN={name}", ECDsa.Create(ECCurve.NamedCurves.nistP256), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
        AuthorityFile = folder.Write($"{name}.ca.pem", _authority.ExportCertificatePem());
    }

    public string AuthorityFile { get; }

    /// <summary>Signs a certificate that ends some days from now; its file and that of its key.</summary>
    public (string Certificate, string Key) Sign(string subject, int days = 7)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={subject}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var certificate = request.Create(_authority, DateTimeOffset.UtcNow.AddDays(-20), DateTimeOffset.UtcNow.AddDays(days), RandomNumberGenerator.GetBytes(8));
        return (_folder.Write($"{_name}.{subject}.pem", certificate.ExportCertificatePem()), _folder.Write($"{_name}.{subject}.key", key.ExportPkcs8PrivateKeyPem()));
    }

    public void Dispose() => _authority.Dispose();
}
