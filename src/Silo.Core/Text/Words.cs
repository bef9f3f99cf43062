namespace Silo.Core.Text;

/// <summary>
/// The words of texts: lower-cased in the invariant culture, split on runs of Unicode white space, never empty.
/// Punctuation stays with its word.
/// </summary>
public static class Words
{
    /// <summary>Number of words of a text.</summary>
    public static int Count(ReadOnlySpan<char> text)
    {
        int count = 0;
        foreach (var _ in new Splitter(text)) count++;
        return count;
    }

    /// <summary>
    /// The words of several texts as numbers: equal words have equal numbers within one call, counted from 0 in the order
    /// in which they first stand.
    /// </summary>
    public static int[][] Encode(IReadOnlyList<string> texts)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var lookup = numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        var encoded = new int[texts.Count][];
        var words = new List<int>();
        for (int t = 0; t < encoded.Length; t++)
        {
            words.Clear();
            foreach (var word in new Splitter(texts[t].ToLowerInvariant()))
            {
                if (!lookup.TryGetValue(word, out int number)) lookup[word] = number = numbers.Count;
                words.Add(number);
            }
            encoded[t] = [.. words];
        }
        return encoded;
    }

    private ref struct Splitter(ReadOnlySpan<char> text)
    {
        private ReadOnlySpan<char> _rest = text;

        public ReadOnlySpan<char> Current { get; private set; } = default;

        public readonly Splitter GetEnumerator() => this;

        public bool MoveNext()
        {
            _rest = _rest.TrimStart();
            if (_rest.IsEmpty) return false;
            int end = 1;
            while (end < _rest.Length && !char.IsWhiteSpace(_rest[end])) end++;
            Current = _rest[..end];
            _rest = _rest[end..];
            return true;
        }
    }
}
