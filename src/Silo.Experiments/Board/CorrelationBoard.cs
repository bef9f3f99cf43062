using Silo.Core;
using Silo.Experiments.Ranking;

namespace Silo.Experiments.Board;

/// <summary>
/// Keeps, per measure and gold, how prompts' texts and ranks go together, while both arrive in any order, late,
/// corrected, withdrawn. A state machine without I/O: an event costs what its own prompt costs, and at any moment the
/// board equals its recomputation from scratch to the last bit. Not thread-safe.
/// </summary>
/// <remarks>
/// A large campaign cuts it in two: per-prompt entries live with the prompt, and only <see cref="Sums"/> goes to
/// shards, by the same <see cref="GoldRow"/>s.
/// </remarks>
public sealed class CorrelationBoard
{
    private readonly SortedDictionary<string, PromptEntry> _prompts = new(StringComparer.Ordinal);

    /// <summary>An empty board.</summary>
    /// <exception cref="SiloException">The design cannot be used.</exception>
    public CorrelationBoard(BoardDesign design)
    {
        if (design.Temperatures.Count > PairKind.MaxTemperatures)
            throw new SiloException($"{design.Temperatures.Count} temperatures: pairs of at most {PairKind.MaxTemperatures} can be told apart");
        if (!(design.Level is > 0.5 and < 1)) throw new SiloException($"level {design.Level}: expected a number between 0.5 and 1");
        if (!(design.Margin is >= 0 and < 2)) throw new SiloException($"margin {design.Margin}: expected a number between 0 and 2");
        Design = design;
        Sums = new(design);
    }

    /// <summary>What was declared beforehand.</summary>
    public BoardDesign Design { get; }

    /// <summary>The exact sums over all prompts.</summary>
    public BoardSums Sums { get; }

    /// <summary>All prompts that are planned, have texts or have ranks, ordered by id.</summary>
    internal IReadOnlyCollection<PromptEntry> Prompts => _prompts.Values;

    /// <summary>
    /// Names a prompt that belongs to the experiment, before it has texts or ranks: the confidence sequence waits for
    /// it in its place.
    /// </summary>
    public void Plan(string prompt) => Entry(prompt);

    /// <summary>
    /// Says that a prompt will get no more texts and ranks. If it has no gold, the confidence sequence passes it over
    /// instead of waiting; that is sound as long as being left unrated does not depend on how the texts would have been ranked.
    /// </summary>
    public void Close(string prompt) => Entry(prompt).Closed = true;

    /// <summary>Closes all prompts: collecting has ended.</summary>
    public void CloseAll()
    {
        foreach (var entry in _prompts.Values) entry.Closed = true;
    }

    /// <summary>Gives a prompt its texts, all at once; again, if they change.</summary>
    /// <exception cref="SiloException">An item stands twice.</exception>
    public void SetTexts(string prompt, IReadOnlyList<BoardText> texts)
    {
        var prepared = new PromptTexts(Design, texts);
        var entry = Entry(prompt);
        Retract(entry);
        entry.Texts = prepared;
        Contribute(entry);
    }

    /// <summary>Takes a rank; false if it changes nothing (an event that was seen before, or is older than what stands).</summary>
    public bool Apply(RankEvent rank)
    {
        var entry = Entry(rank.Prompt);
        if (!entry.Ranks.Apply(rank)) return false;
        Update(entry);
        return true;
    }

    /// <summary>Takes everything another board of the same design knows.</summary>
    public void Merge(CorrelationBoard other)
    {
        foreach (var theirs in other._prompts.Values)
        {
            var entry = Entry(theirs.Prompt);
            entry.Ranks.Merge(theirs.Ranks);
            entry.Closed |= theirs.Closed;
            if (entry.Texts is null && theirs.Texts is not null)
            {
                entry.Texts = theirs.Texts;
                Contribute(entry);
            }
            else
            {
                Update(entry);
            }
        }
    }

    /// <summary>The state of the board, with intervals, controls and verdicts. Changes nothing.</summary>
    /// <param name="exploratory">Whether to read the exploratory measures, too; without them it is ten times cheaper.</param>
    public BoardTable Read(bool exploratory = true) => BoardReader.Read(this, exploratory);

    private PromptEntry Entry(string prompt)
    {
        if (!_prompts.TryGetValue(prompt, out var entry)) _prompts[prompt] = entry = new(Design, prompt);
        return entry;
    }

    private void Retract(PromptEntry entry)
    {
        if (entry.Texts is null) return;
        foreach (var row in entry.Rows) Sums.Remove(GoldRow.Compute(Design, entry.Texts, row.Gold));
        Sums.RemovePrompt(entry.Texts);
        entry.Rows = [];
    }

    private void Contribute(PromptEntry entry)
    {
        Sums.AddPrompt(entry.Texts!);
        Update(entry);
    }

    // Golds that stay as they were keep their rows: one rater's rank leaves the other raters' golds alone. A row that
    // goes is computed once more to be taken away, which is cheaper than to keep all of every row.
    private void Update(PromptEntry entry)
    {
        if (entry.Texts is not { } texts) return;
        var golds = Golds.Of(entry.Ranks.Rows(texts.Items));
        foreach (var row in entry.Rows)
            if (!golds.Any(row.Gold.IsSame)) Sums.Remove(GoldRow.Compute(Design, texts, row.Gold));
        entry.Rows = [.. golds.Select(gold => Array.Find(entry.Rows, row => row.Gold.IsSame(gold)) ?? Added(gold))];

        RhoRow Added(PromptGold gold)
        {
            var row = GoldRow.Compute(Design, texts, gold);
            Sums.Add(row);
            return row.Kept;
        }
    }
}

/// <summary>What a board knows of one prompt.</summary>
internal sealed class PromptEntry(BoardDesign design, string prompt)
{
    public string Prompt { get; } = prompt;

    /// <summary>Its place in the order of the confidence sequence.</summary>
    public ulong Place { get; } = PromptOrder.Place(design.Seed, prompt);

    /// <summary>Its half.</summary>
    public int Half { get; } = PromptOrder.Half(design.Seed, prompt);

    public PromptRanks Ranks { get; } = new();

    public PromptTexts? Texts { get; set; }

    /// <summary>One row for each of its golds.</summary>
    public RhoRow[] Rows { get; set; } = [];

    /// <summary>Whether it will get no more texts and ranks.</summary>
    public bool Closed { get; set; }
}
