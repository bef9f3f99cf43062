using Silo.Cluster.Contracts.Campaigns;
using Silo.Core;
using Silo.Experiments.Campaign;
using Silo.Experiments.Generation;
using Silo.Experiments.Measures;
using Silo.Experiments.Spec;
using Silo.Storage.Runs;

namespace Silo.Client;

/// <summary>
/// Writes a campaign into a run directory, which every <c>silo</c> command reads as if it had been made there. Repeating
/// it after an interruption goes on with the prompts that are missing.
/// </summary>
public static class CampaignExport
{
    private const int PromptsAtOnce = 16;

    /// <summary>Exports a finished (or cancelled, or still running) campaign.</summary>
    /// <param name="client">The cluster.</param>
    /// <param name="experiment">The experiment's id.</param>
    /// <param name="path">The run directory.</param>
    /// <param name="version">Silo's version, kept with the run.</param>
    /// <param name="traces">Whether token traces are fetched, too.</param>
    /// <param name="progress">Told the number of prompts written.</param>
    /// <param name="cancellationToken">Stops; what is written stays.</param>
    /// <exception cref="SiloException">There is no such experiment, or the directory cannot be used.</exception>
    public static async Task<RunDigest> ExportAsync(
        SiloClient client, string experiment, string path, string version, bool traces, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        var status = await client.StatusAsync(experiment, cancellationToken);
        var spec = (await client.SpecAsync(experiment, cancellationToken)) with { Prompts = await PromptsAsync(client, experiment, status.Prompts, cancellationToken), PromptsFile = null };
        string[] measures = [.. MeasureCatalog.For(MeasureCatalogOptions.Of(spec)).Measures.Select(m => m.Name)];
        using var store = RunStore.Open(path, spec, version, fresh: false, TimeProvider.System);
        var there = store.Progress();
        foreach (var group in Enumerable.Range(0, spec.Prompts.Count).Chunk(PromptsAtOnce))
        {
            var fetched = await Task.WhenAll(group.Select(async prompt => (
                Prompt: prompt,
                Texts: await client.TextsAsync(experiment, spec.Prompts[prompt].Id, traces, cancellationToken),
                Ranks: await client.RanksAsync(experiment, spec.Prompts[prompt].Id, cancellationToken))));
            store.Write(batch =>
            {
                foreach (var (prompt, texts, ranks) in fetched)
                {
                    var rows = there.StateOf(prompt).Rows;
                    foreach (var text in texts.Texts)
                        if (rows[text.Row].Status != RowStatus.Kept) batch.Keep(prompt, text.Row, ToRecord(store.Plan.Key(prompt, text.Row), text), measures);
                    foreach (var failure in texts.Failures)
                        if (rows[failure.Row].Status == RowStatus.Open) batch.Fail(prompt, new PromptCommand.Fail(failure.Row, failure.Attempts, failure.Reason, Final: true));
                    foreach (var rank in Standing(ranks))
                        batch.Rank(new NewRank(spec.Prompts[prompt].Id, rank.Item, rank.Rater, rank.Panel, rank.Rank), $"campaign {experiment}");
                }
            });
            progress?.Report(group[^1] + 1);
        }
        var digest = store.Digest();
        if (status.Digest is { } expected && expected != digest.Hex)
            throw new SiloException($"experiment '{experiment}': the exported texts have digest {digest.Hex[..12]}, the campaign has {expected[..12]}");
        if (status.Status == "finished") store.Write(batch => batch.Finish(digest));
        return digest;
    }

    private static async Task<IReadOnlyList<Prompt>> PromptsAsync(SiloClient client, string experiment, int count, CancellationToken cancellationToken)
    {
        var prompts = new List<Prompt>(count);
        for (var page = 0; prompts.Count < count; page++)
        {
            var content = await client.PromptsAsync(experiment, page, cancellationToken)
                ?? throw new SiloException($"experiment '{experiment}': page {page} of its prompts is missing");
            for (var i = 0; i < content.Ids.Count; i++) prompts.Add(new Prompt(content.Ids[i], content.Texts[i]));
        }
        return prompts;
    }

    // A prompt's ranks come in the order in which each took effect: the last of a rater and item is the one that stands.
    private static IEnumerable<RankMessage> Standing(IReadOnlyList<RankMessage> ranks) =>
        ranks.GroupBy(r => (r.Rater, r.Item)).Select(g => g.Last());

    private static GenerationRecord ToRecord(GenerationKey key, TextMessage text) => new()
    {
        Key = key,
        Tokens = text.Tokens,
        Text = text.Text,
        Finish = text.Stopped ? FinishReason.Stop : FinishReason.Length,
        Measures = text.Measures,
        FeatureHash = text.FeatureHash,
        Engine = text.Engine,
        Trace = text.Trace,
    };
}
