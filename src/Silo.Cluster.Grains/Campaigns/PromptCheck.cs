using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Core;
using Silo.Experiments.Spec;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>
/// Reads all pages of an experiment once before it starts: that each is there, that no prompt id stands twice (its grain
/// would be told as two prompts, and the campaign would never end), and that spec and prompts are those whose hash was
/// submitted (whoever submits the same again is told that it is known). A page never changes once it is stored.
/// </summary>
internal static class PromptCheck
{
    // Pages of the longest prompts take some megabytes each.
    private const int PagesAtOnce = 8;

    /// <summary>Checks; returns the first page that is missing, or null where all is well.</summary>
    /// <exception cref="SiloException">A prompt id stands twice, or the hash is another.</exception>
    public static async Task<int?> RunAsync(IGrainFactory grains, string experiment, ExperimentRecord record)
    {
        using var content = new PromptsHash();
        // Grows with what is there, not with what was said to come.
        var ids = new List<ulong>();
        foreach (var group in Enumerable.Range(0, record.Pages).Chunk(PagesAtOnce))
        {
            var pages = await Task.WhenAll(group.Select(page => Page(grains, experiment, page).Get()));
            for (var i = 0; i < pages.Length; i++)
            {
                if (pages[i] is not { } page || page.Ids.Count != Math.Min(Limits.PageSize, record.Prompts - group[i] * Limits.PageSize)) return group[i];
                for (var place = 0; place < page.Ids.Count; place++)
                {
                    ids.Add(PromptIds.HashOf(page.Ids[place]));
                    content.Add(new Prompt(page.Ids[place], page.Texts[place]));
                }
            }
        }
        if (FirstTwice(ids) is { } twice) await RefuseTwiceAsync(grains, experiment, record, twice);
        var hash = SpecIdentity.Of(ContextCache.ParseSpec(record.Spec), content).Hash;
        return hash == record.Hash ? null
            : throw new SiloException($"experiment '{experiment}': what was sent has hash {hash[..12]}, not {record.Hash[..12]} as was said: cancel it and submit it under another id");
    }

    // Eight bytes of hash a prompt; what looks the same is compared as it is.
    private static ulong? FirstTwice(List<ulong> ids)
    {
        ids.Sort();
        for (var i = 1; i < ids.Count; i++)
            if (ids[i] == ids[i - 1]) return ids[i];
        return null;
    }

    private static async Task RefuseTwiceAsync(IGrainFactory grains, string experiment, ExperimentRecord record, ulong hash)
    {
        var first = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var page = 0; page < record.Pages; page++)
        {
            var ids = await Page(grains, experiment, page).Ids() ?? [];
            for (var place = 0; place < ids.Count; place++)
            {
                var number = page * Limits.PageSize + place;
                if (PromptIds.HashOf(ids[place]) == hash && !first.TryAdd(ids[place], number))
                    throw new SiloException($"experiment '{experiment}': prompt id '{ids[place]}' stands twice, as prompt {first[ids[place]] + 1} (page {first[ids[place]] / Limits.PageSize}) and as prompt {number + 1} (page {page}): cancel it and submit it under another id");
            }
        }
        // Two ids of one hash, 64 bits of SHA-256: only somebody who searched for them has them.
        throw new SiloException($"experiment '{experiment}': two prompt ids have the same hash {hash:x16}");
    }

    private static IPromptPageGrain Page(IGrainFactory grains, string experiment, int page) => grains.GetGrain<IPromptPageGrain>(Keys.Part(experiment, page));
}
