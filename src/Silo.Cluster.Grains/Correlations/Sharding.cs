using System.Security.Cryptography;
using System.Text;

namespace Silo.Cluster.Grains.Correlations;

/// <summary>
/// Which correlation shard a prompt belongs to. A shard remembers one small entry a prompt, so their number grows with
/// the prompts; it is fixed when the experiment is submitted.
/// </summary>
internal static class Sharding
{
    /// <summary>Prompts of one shard, about.</summary>
    public const int PromptsPerShard = 20_000;

    /// <summary>Number of shards of an experiment.</summary>
    public static int Count(int prompts) => (prompts + PromptsPerShard - 1) / PromptsPerShard;

    /// <summary>The shard of a prompt: by hash, so that no part of the prompt list is hot.</summary>
    public static int Of(string promptId, int shards)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(promptId), hash);
        return (int)(BitConverter.ToUInt32(hash) % (uint)shards);
    }
}
