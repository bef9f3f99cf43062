using System.Security.Cryptography;
using System.Text;
using Silo.Cluster.Contracts.Campaigns;

namespace Silo.Cluster.Contracts.Inference;

/// <summary>What an inference grain's key asks of its host.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Device">Kind of device, or null for any.</param>
/// <param name="Engine">Short hash of the engine's fingerprint, or null for any.</param>
public sealed record EngineDemand(string Model, string? Device, string? Engine);

/// <summary>
/// Keys of inference grains: <c>model|device|engine/slot</c>, empty where anything will do. The demand is in the key, so
/// that placement can see it before a grain exists.
/// </summary>
public static class InferenceKeys
{
    /// <summary>Name under which hosts serve the model that comes with Silo.</summary>
    public const string EmbeddedModel = "embedded";

    /// <summary>Slots of each demand: more than hosts, so that they spread evenly.</summary>
    public const int Slots = 64;

    /// <summary>The slot that a prompt's ask goes to: another one with each ask, so that a busy host is not asked again.</summary>
    public static string Slot(CampaignContext campaign, string? engine, string promptId, int ask)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{promptId}\0{ask}"), hash);
        return $"{Uri.EscapeDataString(campaign.Model ?? EmbeddedModel)}|{campaign.Device}|{(engine is null ? "" : HashOf(engine))}/{BitConverter.ToUInt32(hash) % Slots}";
    }

    /// <summary>What a key asks for.</summary>
    public static EngineDemand DemandOf(string key)
    {
        var parts = key[..key.LastIndexOf('/')].Split('|');
        return new EngineDemand(Uri.UnescapeDataString(parts[0]), NullIfEmpty(parts[1]), NullIfEmpty(parts[2]));
    }

    /// <summary>Short name of a fingerprint, for keys and silo metadata.</summary>
    public static string HashOf(string fingerprint) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(fingerprint)).AsSpan(0, 8));

    private static string? NullIfEmpty(string value) => value.Length == 0 ? null : value;
}
