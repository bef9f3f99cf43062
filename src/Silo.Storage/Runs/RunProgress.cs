using Silo.Experiments.Campaign;

namespace Silo.Storage.Runs;

/// <summary>Which texts of a run are kept or failed: what is needed to go on, and no more.</summary>
public sealed class RunProgress
{
    private readonly int _rows;
    private readonly bool[] _kept;
    private readonly string?[] _engine;
    private readonly Dictionary<long, PromptRow> _failed = [];

    internal RunProgress(int prompts, int rows)
    {
        _rows = rows;
        _kept = new bool[(long)prompts * rows];
        _engine = new string?[prompts];
    }

    /// <summary>Texts kept.</summary>
    public long Kept { get; private set; }

    /// <summary>Texts failed for good.</summary>
    public long Failed => _failed.Count;

    /// <summary>The state of a prompt run as the store knows it.</summary>
    public PromptRunState StateOf(int prompt) => PromptRunState.Restore(
        Enumerable.Range(0, _rows).Select(row => (long)prompt * _rows + row).Select(number =>
            _kept[number] ? new PromptRow(RowStatus.Kept) : _failed.GetValueOrDefault(number) ?? new PromptRow(RowStatus.Open)),
        _engine[prompt]);

    internal void SetKept(long number, string engine)
    {
        _kept[number] = true;
        _engine[number / _rows] = engine;
        Kept++;
    }

    internal void SetFailed(long number, PromptRow row)
    {
        if (!_kept[number]) _failed[number] = row;
    }
}
