using System.Security.Cryptography;
using System.Text;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>
/// Which prompts an experiment has, for ranks that come before the campaign has told their prompt: a rank of a prompt that
/// does not exist would be taken and never seen again. Eight bytes of hash a prompt, read once per silo, if ever.
/// </summary>
/// <param name="grains">The way to the pages.</param>
/// <param name="experiment">The experiment's id.</param>
/// <param name="count">Number of its prompts.</param>
internal sealed class PromptIds(IGrainFactory grains, string experiment, int count)
{
    private const int PagesAtOnce = 16;
    private Task<ulong[]?>? _reading;

    /// <summary>Why ranks of a prompt cannot be taken, or null.</summary>
    public async Task<string?> RefusalAsync(string prompt)
    {
        var asked = _reading ??= ReadAsync();
        ulong[]? known = null;
        try
        {
            known = await asked;
        }
        finally
        {
            // What is not whole yet, or could not be read, is read again when next asked for.
            if (known is null) _ = Interlocked.CompareExchange(ref _reading, null, asked);
        }
        if (known is null) return $"the prompts of experiment '{experiment}' are not all in yet";
        return Array.BinarySearch(known, HashOf(prompt)) >= 0 ? null : $"experiment '{experiment}' has no prompt '{prompt}'";
    }

    private async Task<ulong[]?> ReadAsync()
    {
        // Grows with what is there, not with what was said to come.
        var hashes = new List<ulong>();
        foreach (var group in Enumerable.Range(0, (count + Limits.PageSize - 1) / Limits.PageSize).Chunk(PagesAtOnce))
            foreach (var ids in await Task.WhenAll(group.Select(page => grains.GetGrain<IPromptPageGrain>(Keys.Part(experiment, page)).Ids())))
            {
                if (ids is null) return null;
                hashes.AddRange(ids.Select(HashOf));
            }
        hashes.Sort();
        return [.. hashes];
    }

    /// <summary>Eight bytes that stand for an id.</summary>
    public static ulong HashOf(string id) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(id)));
}
