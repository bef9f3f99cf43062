using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Silo.Core;

namespace Silo.Cluster.Contracts.Security;

/// <summary>What a valid token says.</summary>
/// <param name="Subject">Who it was issued to.</param>
/// <param name="Access">What it allows.</param>
/// <param name="Experiment">The experiment it holds for, or <c>*</c> for all.</param>
public sealed record AccessGrant(string Subject, Access Access, string Experiment)
{
    /// <summary>Whether this allows the access for the experiment.</summary>
    public bool Allows(Access access, string experiment) =>
        (Access & access) == access && (Experiment == "*" || string.Equals(Experiment, experiment, StringComparison.Ordinal));
}

/// <summary>
/// Issues and checks access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256, with an expiry that is always
/// checked. Keys are named, so that they can be rotated: the first signs, all verify.
/// </summary>
public sealed class AccessTokens
{
    private const string Issuer = "silo";
    internal const int MostKnown = 4_096;
    private static readonly (string Name, Access Access)[] s_scopes =
    [
        ("submit", Access.Submit), ("rank", Access.Rank), ("read", Access.Read), ("operate", Access.Operate), ("internal", Access.Internal),
    ];

    private readonly SigningCredentials _signing;
    private readonly TokenValidationParameters _validation;
    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false };
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, (AccessGrant Grant, DateTime Expires)> _known = new(StringComparer.Ordinal);

    /// <summary>Creates the issuer from keys, the first of which signs.</summary>
    /// <param name="keys">At least one key of at least 32 bytes.</param>
    /// <param name="time">The clock that expiry is measured by.</param>
    /// <exception cref="SiloException">There is no key, or one is too short.</exception>
    public AccessTokens(IReadOnlyList<byte[]> keys, TimeProvider time)
    {
        if (keys.Count == 0) throw new SiloException("token keys: expected at least one key");
        var securityKeys = new List<SecurityKey>();
        foreach (var key in keys)
        {
            if (key.Length < 32) throw new SiloException($"token keys: a key of {key.Length} bytes is too short, expected at least 32");
            securityKeys.Add(new SymmetricSecurityKey(key) { KeyId = Convert.ToHexStringLower(SHA256.HashData(key).AsSpan(0, 4)) });
        }
        _time = time;
        _signing = new SigningCredentials(securityKeys[0], SecurityAlgorithms.HmacSha256);
        _validation = new TokenValidationParameters
        {
            ValidIssuer = Issuer,
            ValidateAudience = false,
            IssuerSigningKeys = securityKeys,
            ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
            RequireExpirationTime = true,
            RequireSignedTokens = true,
            LifetimeValidator = (notBefore, expires, _, _) =>
                expires is { } end && end > time.GetUtcNow().UtcDateTime && (notBefore is not { } start || start <= time.GetUtcNow().UtcDateTime.AddMinutes(1)),
        };
    }

    /// <summary>How many tokens are known at present.</summary>
    internal int Count => _known.Count;

    /// <summary>Reads keys from text: one per line, Base64; empty lines and lines that start with # are passed over.</summary>
    /// <exception cref="SiloException">A line is not Base64. The line itself is never shown.</exception>
    public static IReadOnlyList<byte[]> ReadKeys(string text, string source)
    {
        var keys = new List<byte[]>();
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            var buffer = new byte[line.Length];
            if (!Convert.TryFromBase64String(line, buffer, out var written))
                throw new SiloException($"{source}:{number}: expected a Base64 key");
            keys.Add(buffer[..written]);
        }
        return keys;
    }

    /// <summary>Issues a token.</summary>
    /// <param name="grant">What it says.</param>
    /// <param name="lifetime">How long it holds, &gt; 0.</param>
    public string Issue(AccessGrant grant, TimeSpan lifetime)
    {
        var now = _time.GetUtcNow().UtcDateTime;
        return _handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            IssuedAt = now,
            NotBefore = now,
            Expires = now + lifetime,
            Subject = new ClaimsIdentity(
            [
                new Claim("sub", grant.Subject),
                new Claim("scope", string.Join(' ', s_scopes.Where(s => grant.Access.HasFlag(s.Access)).Select(s => s.Name))),
                new Claim("experiment", grant.Experiment),
            ]),
            SigningCredentials = _signing,
        });
    }

    /// <summary>Checks a token; null, with the reason, where it is not valid. The reason holds no part of the token.</summary>
    public async ValueTask<(AccessGrant? Grant, string Reason)> CheckAsync(string? token)
    {
        if (string.IsNullOrEmpty(token)) return (null, "no token");
        if (token.Length > 4096) return (null, "token too long");
        // The signature of the same bytes does not change; only time does.
        if (_known.TryGetValue(token, out var before) && before.Expires > _time.GetUtcNow().UtcDateTime) return (before.Grant, "");
        var result = await _handler.ValidateTokenAsync(token, _validation).ConfigureAwait(false);
        if (!result.IsValid)
            return (null, result.Exception is SecurityTokenInvalidLifetimeException or SecurityTokenExpiredException or SecurityTokenNoExpirationException ? "token expired" : "token not valid");
        var jwt = (JsonWebToken)result.SecurityToken;
        var access = Access.None;
        if (jwt.TryGetPayloadValue<string>("scope", out var scope))
            foreach (var name in scope.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                foreach (var (known, flag) in s_scopes)
                    if (name == known) access |= flag;
        if (!jwt.TryGetPayloadValue<string>("experiment", out var experiment)) return (null, "token names no experiment");
        var grant = new AccessGrant(jwt.Subject ?? "", access, experiment);
        if (_known.Count >= MostKnown) _known.Clear();
        _known[token] = (grant, jwt.ValidTo);
        return (grant, "");
    }

    /// <summary>A fresh key as a line for the key file.</summary>
    public static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
}
