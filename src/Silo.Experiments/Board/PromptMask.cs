using System.Numerics;

namespace Silo.Experiments.Board;

/// <summary>A set of prompts, by index; equal sets are equal.</summary>
internal readonly struct PromptMask : IEquatable<PromptMask>
{
    private readonly ulong[] _words;

    private PromptMask(ulong[] words) => _words = words;

    /// <summary>Number of prompts in the set.</summary>
    public int Count => _words.Sum(BitOperations.PopCount);

    /// <summary>Whether a prompt is in the set.</summary>
    public bool this[int prompt] => (_words[prompt >> 6] >> prompt & 1) != 0;

    /// <summary>The prompts whose value is defined.</summary>
    public static PromptMask Of(ReadOnlySpan<double> values)
    {
        var words = new ulong[(values.Length + 63) / 64];
        for (var i = 0; i < values.Length; i++)
            if (!double.IsNaN(values[i])) words[i >> 6] |= 1UL << i;
        return new(words);
    }

    /// <summary>All of so many prompts.</summary>
    public static PromptMask All(int count) => Of(new double[count]);

    public static PromptMask operator &(PromptMask a, PromptMask b) => new([.. a._words.Zip(b._words, (x, y) => x & y)]);

    public bool Equals(PromptMask other) => _words.AsSpan().SequenceEqual(other._words);

    public override bool Equals(object? obj) => obj is PromptMask other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var word in _words) hash.Add(word);
        return hash.ToHashCode();
    }
}
