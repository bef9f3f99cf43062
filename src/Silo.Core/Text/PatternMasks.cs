namespace Silo.Core.Text;

/// <summary>
/// Where each symbol of a pattern stands, as bits: what bit-parallel string matching compares 64 positions at once with.
/// Row 0 belongs to symbols that do not stand in the pattern.
/// </summary>
internal sealed class PatternMasks
{
    private readonly Dictionary<int, int> _rows = [];
    private readonly ulong[] _masks;

    public PatternMasks(ReadOnlySpan<int> pattern)
    {
        foreach (int symbol in pattern) _rows.TryAdd(symbol, _rows.Count + 1);
        Blocks = (pattern.Length + 63) / 64;
        _masks = new ulong[(_rows.Count + 1) * Blocks];
        for (int i = 0; i < pattern.Length; i++) _masks[_rows[pattern[i]] * Blocks + i / 64] |= 1UL << i;
    }

    /// <summary>Number of 64-bit words in a row.</summary>
    public int Blocks { get; }

    /// <summary>The positions of a symbol.</summary>
    public ReadOnlySpan<ulong> this[int symbol] => _masks.AsSpan(_rows.GetValueOrDefault(symbol) * Blocks, Blocks);
}
