using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Experiments.Ranking;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>
/// A prompt's ranks: a list that only grows, of those events that changed something when they came, and their standing.
/// </summary>
internal sealed class RankBook
{
    private const int MaxNameLength = 200;
    private readonly string _prompt;
    private readonly IReadOnlySet<string> _items;
    private readonly List<RankMessage> _events = [];
    private readonly PromptRanks _standing = new();

    /// <summary>The book of a prompt, as it was stored.</summary>
    /// <param name="prompt">The prompt's id.</param>
    /// <param name="items">Its items: others have no rank.</param>
    /// <param name="stored">The ranks taken before.</param>
    public RankBook(string prompt, IReadOnlySet<string> items, IEnumerable<RankMessage> stored)
    {
        _prompt = prompt;
        _items = items;
        foreach (var rank in stored) TryAdd(rank);
    }

    /// <summary>The events, in order of arrival.</summary>
    public IReadOnlyList<RankMessage> Events => _events;

    /// <summary>Why a batch cannot be taken, or null.</summary>
    public string? Refusal(IReadOnlyList<RankMessage> batch)
    {
        if (batch.Count > Limits.MaxRanksPerBatch) return $"{batch.Count} ranks in a batch: at most {Limits.MaxRanksPerBatch} are taken";
        if (_events.Count + batch.Count > Limits.MaxRanksPerPrompt) return $"prompt '{_prompt}' has {_events.Count} ranks: at most {Limits.MaxRanksPerPrompt} are taken";
        foreach (var rank in batch)
        {
            if (rank?.Item is null || rank.Rater is null) return "a rank without item or rater";
            if (rank.Rater.Length is 0 or > MaxNameLength) return $"a rater's name of {rank.Rater.Length} characters: expected 1 to {MaxNameLength}";
            if (!_items.Contains(rank.Item)) return $"prompt '{_prompt}' has no item '{(rank.Item.Length > 40 ? rank.Item[..40] : rank.Item)}' (one is '{_items.First()}')";
            if (rank.Panel is { Length: 0 or > MaxNameLength }) return $"a panel's name of {rank.Panel.Length} characters: expected 1 to {MaxNameLength}";
            if (rank.Rank is { } value && !double.IsFinite(value)) return $"rater '{rank.Rater}', item '{rank.Item}': expected a finite number for a rank";
        }
        return null;
    }

    /// <summary>Takes a batch.</summary>
    public RankReply Take(IReadOnlyList<RankMessage> batch)
    {
        int fresh = 0, corrected = 0, withdrawn = 0, repeated = 0;
        foreach (var rank in batch)
        {
            if (!TryAdd(rank)) repeated++;
            else if (rank.Rank is null) withdrawn++;
            else if (rank.Revision > 0) corrected++;
            else fresh++;
        }
        return new RankReply { New = fresh, Corrected = corrected, Withdrawn = withdrawn, Repeated = repeated };
    }

    /// <summary>What the events would be with a batch.</summary>
    public IReadOnlyList<RankMessage> With(IReadOnlyList<RankMessage> batch)
    {
        var trial = new RankBook(_prompt, _items, _events);
        trial.Take(batch);
        return trial.Events;
    }

    /// <summary>Whether a batch would change nothing.</summary>
    public bool Knows(IReadOnlyList<RankMessage> batch) => With(batch).Count == _events.Count;

    private bool TryAdd(RankMessage rank)
    {
        if (!_standing.Apply(ToEvent(_prompt, rank))) return false;
        _events.Add(rank);
        return true;
    }

    /// <summary>A message as the domain's event.</summary>
    public static RankEvent ToEvent(string prompt, RankMessage rank) => new(prompt, rank.Item, rank.Rater, rank.Panel, rank.Rank, rank.Revision);
}
