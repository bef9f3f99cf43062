using Silo.Cluster.Contracts.Campaigns;
using Silo.Cluster.Grains.State;

namespace Silo.Cluster.Grains.Campaigns;

/// <summary>How a prompt's texts and a page's ends are stored.</summary>
internal static class PromptForms
{
    public static StateForm<PromptTextsRecord> Texts { get; } = new(1, WriteTexts, ReadTexts);

    public static StateForm<PageRecord> Ends { get; } = new(1, WriteEnds, ReadEnds);

    private static void WriteTexts(BinaryWriter writer, PromptTextsRecord record)
    {
        writer.Write7BitEncodedInt(record.Texts.Count);
        foreach (var text in record.Texts)
        {
            writer.Write7BitEncodedInt(text.Row);
            writer.WriteArray<int>(text.Tokens);
            writer.Write(text.Text);
            writer.Write(text.Stopped);
            writer.WriteArray<double>(text.Measures);
            writer.WriteArray<byte>(text.FeatureHash);
            writer.Write(text.Engine);
            writer.WriteArray<byte>(text.Trace);
        }
    }

    private static PromptTextsRecord ReadTexts(BinaryReader reader, int version)
    {
        var texts = new TextMessage[reader.ReadCount()];
        for (var i = 0; i < texts.Length; i++)
            texts[i] = new TextMessage
            {
                Row = reader.Read7BitEncodedInt(),
                Tokens = reader.ReadArray<int>(),
                Text = reader.ReadString(),
                Stopped = reader.ReadBoolean(),
                Measures = reader.ReadArray<double>(),
                FeatureHash = reader.ReadArray<byte>(),
                Engine = reader.ReadString(),
                Trace = reader.ReadArray<byte>(),
            };
        return new PromptTextsRecord { Texts = texts };
    }

    // Engines are few and their names long: each stands once.
    private static void WriteEnds(BinaryWriter writer, PageRecord record)
    {
        var engines = record.Ends.Select(e => e.Engine).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        writer.Write7BitEncodedInt(engines.Count);
        foreach (var engine in engines) writer.Write(engine);
        writer.Write7BitEncodedInt(record.Ends.Count);
        foreach (var end in record.Ends)
        {
            writer.Write7BitEncodedInt(end.Prompt);
            writer.Write7BitEncodedInt(end.Kept);
            writer.Write7BitEncodedInt(end.Failed);
            writer.Write7BitEncodedInt64(end.Tokens);
            writer.WriteArray<byte>(end.Digest);
            writer.Write7BitEncodedInt(end.Engine is null ? 0 : 1 + engines.IndexOf(end.Engine));
        }
    }

    private static PageRecord ReadEnds(BinaryReader reader, int version)
    {
        var engines = new string[reader.ReadCount()];
        for (var i = 0; i < engines.Length; i++) engines[i] = reader.ReadString();
        var ends = new PromptEnd[reader.ReadCount()];
        for (var i = 0; i < ends.Length; i++)
            ends[i] = new PromptEnd
            {
                Prompt = reader.Read7BitEncodedInt(),
                Kept = reader.Read7BitEncodedInt(),
                Failed = reader.Read7BitEncodedInt(),
                Tokens = reader.Read7BitEncodedInt64(),
                Digest = reader.ReadArray<byte>(),
                Engine = reader.Read7BitEncodedInt() is > 0 and var engine ? engines[engine - 1] : null,
            };
        return new PageRecord { Ends = ends };
    }
}
