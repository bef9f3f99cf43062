using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Contracts.Correlations;
using Silo.Cluster.Grains.Campaigns;

namespace Silo.Cluster.Grains.Correlations;

/// <summary>Tells a prompt's shard what the prompt amounts to, until the shard has counted it.</summary>
internal static class ShardLink
{
    private const int Tries = 5;

    /// <summary>Tells the shard; returns what it has counted when that is what was asked for.</summary>
    /// <param name="grains">The way to the shard.</param>
    /// <param name="experiment">The experiment's id.</param>
    /// <param name="promptId">The prompt's id.</param>
    /// <param name="context">The experiment.</param>
    /// <param name="counted">What the shard is believed to have counted.</param>
    /// <param name="wanted">What it should count.</param>
    /// <param name="texts">The prompt's texts.</param>
    /// <param name="ranks">All its ranks, in order of arrival.</param>
    public static async Task<Counted> TellAsync(
        IGrainFactory grains, string experiment, string promptId, ExperimentContext context,
        Counted counted, Counted wanted, IReadOnlyList<TextMessage> texts, IReadOnlyList<RankMessage> ranks)
    {
        var shard = grains.To<ICorrelationShardGrain>(Keys.Part(experiment, Sharding.Of(promptId, context.Shared.Shards)));
        var plan = context.PlanOf(promptId, "");
        var seen = texts.Select(t => new ShardText { Item = plan.Key(0, t.Row).Item, Temperature = plan.Key(0, t.Row).Temperature, Measures = t.Measures }).ToArray();
        for (var i = 0; i < Tries; i++)
        {
            // The shard may have counted something else: its answer to an earlier telling was lost, or its own state was.
            var reply = await shard.Update(new ShardUpdate { Prompt = promptId, From = counted, To = wanted, Texts = seen, Ranks = ranks });
            if (reply.Counted == wanted) return wanted;
            counted = reply.Counted;
            if (counted.Ranks > ranks.Count) throw new StateNotStoredException($"another activation of prompt '{promptId}' has counted {counted.Ranks} ranks, this one knows {ranks.Count}");
        }
        throw new InvalidOperationException($"the shard counts {counted}, not {wanted}");
    }
}
