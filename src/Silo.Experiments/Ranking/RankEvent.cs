namespace Silo.Experiments.Ranking;

/// <summary>
/// A rater's rank of one text, as it arrives: late, corrected, withdrawn, twice. Of all events about one
/// (prompt, item, rater) the one with the highest revision counts, whatever the order of arrival.
/// </summary>
/// <param name="Prompt">The prompt's id.</param>
/// <param name="Item">The text's name within the prompt, see <see cref="Generation.GenerationKey.Item"/>.</param>
/// <param name="Rater">Who ranks, by name; the same name is the same rater in every prompt.</param>
/// <param name="Panel">The rater's panel (<c>humans</c>, <c>judges</c>), or null.</param>
/// <param name="Rank">1 = best; any finite number, ties allowed. Null withdraws the rank.</param>
/// <param name="Revision">0 for a first rank, larger for each correction. Two events of one revision should be equal; if not, the smaller rank counts.</param>
public sealed record RankEvent(string Prompt, string Item, string Rater, string? Panel, double? Rank, long Revision = 0);
