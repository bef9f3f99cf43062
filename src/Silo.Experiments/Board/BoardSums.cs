using System.IO.Compression;
using Silo.Experiments.Controls;

namespace Silo.Experiments.Board;

/// <summary>
/// The sums of a board or of a shard of it: per gold, without a row of any prompt. At any moment they equal the sums
/// computed anew from all rows, to the last bit, whatever came, was corrected or withdrawn in whatever order.
/// </summary>
public sealed class BoardSums(BoardDesign design)
{
    private const int Format = 1;
    private readonly SortedDictionary<string, GoldSums> _byGold = new(StringComparer.Ordinal);

    /// <summary>Number of prompts whose texts are known.</summary>
    public int Prompts { get; private set; }

    /// <summary>Number of their texts.</summary>
    public int Texts { get; private set; }

    /// <summary>Sums by name of the gold, ordered by name; a gold without a rated prompt is absent.</summary>
    public IReadOnlyDictionary<string, GoldSums> Golds => _byGold;

    /// <summary>Counts a prompt's texts.</summary>
    public void AddPrompt(PromptTexts texts) => (Prompts, Texts) = (Prompts + 1, Texts + texts.Count);

    /// <summary>The exact inverse of <see cref="AddPrompt"/>.</summary>
    public void RemovePrompt(PromptTexts texts) => (Prompts, Texts) = (Prompts - 1, Texts - texts.Count);

    /// <summary>Adds a prompt's row.</summary>
    public void Add(GoldRow row)
    {
        var name = row.Gold.Name.ToString();
        if (!_byGold.TryGetValue(name, out var sums)) _byGold[name] = sums = new(row.Rho.Length, row.Pairs.Length);
        sums.Add(row);
    }

    /// <summary>Takes away a row that was added: the exact inverse of <see cref="Add"/>.</summary>
    public void Remove(GoldRow row)
    {
        var name = row.Gold.Name.ToString();
        var sums = _byGold[name];
        sums.Remove(row);
        if (sums.Rated == 0) _byGold.Remove(name);
    }

    /// <summary>Adds the sums of other prompts.</summary>
    public void Merge(BoardSums other)
    {
        Prompts += other.Prompts;
        Texts += other.Texts;
        foreach (var (name, sums) in other._byGold)
        {
            if (!_byGold.TryGetValue(name, out var mine))
                _byGold[name] = mine = new(sums.Columns.Length, sums.Kinds);
            mine.Merge(sums);
        }
    }

    /// <summary>The sums as bytes, exact; a shard of a large campaign stores and sends them so.</summary>
    public byte[] Pack()
    {
        using var plain = new MemoryStream();
        using var writer = new BinaryWriter(plain);
        writer.Write(Format);
        writer.Write(Prompts);
        writer.Write(Texts);
        writer.Write(_byGold.Count);
        foreach (var (name, sums) in _byGold)
        {
            writer.Write(name);
            sums.Write(writer);
        }
        writer.Flush();
        using var bytes = new MemoryStream();
        // All at once: written number by number, each would be compressed by itself, that is, not at all.
        using (var compressed = new BrotliStream(bytes, CompressionLevel.Fastest)) compressed.Write(plain.GetBuffer().AsSpan(0, (int)plain.Length));
        return bytes.ToArray();
    }

    /// <summary>The sums from bytes.</summary>
    /// <exception cref="InvalidDataException">They are of another version or design, or cut short.</exception>
    public static BoardSums Unpack(BoardDesign design, byte[] packed)
    {
        try
        {
            using var reader = new BinaryReader(new BufferedStream(new BrotliStream(new MemoryStream(packed), CompressionMode.Decompress), 1 << 16));
            if (reader.ReadInt32() != Format) throw new InvalidDataException("the sums are of a later version");
            var sums = new BoardSums(design) { Prompts = reader.ReadInt32(), Texts = reader.ReadInt32() };
            for (var left = reader.ReadInt32(); left > 0; left--)
                sums._byGold.Add(reader.ReadString(),
                    GoldSums.Read(reader, Control.Columns.Count + design.Measures.Count, PairKind.Count(design.Temperatures.Count)));
            return sums;
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException("the sums are cut short or damaged", e);
        }
    }

    /// <summary>Whether both hold the same sums to the last bit.</summary>
    public bool SameAs(BoardSums other) =>
        Prompts == other.Prompts && Texts == other.Texts && _byGold.Count == other._byGold.Count
        && _byGold.All(g => other._byGold.TryGetValue(g.Key, out var sums) && g.Value.SameAs(sums));

    /// <summary>The design that the columns belong to.</summary>
    public BoardDesign Design => design;
}
