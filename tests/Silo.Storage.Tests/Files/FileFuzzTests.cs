using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Silo.Core;
using Silo.Storage.Files;

namespace Silo.Storage.Tests.Files;

/// <summary>
/// Whatever bytes a file has, it is read or refused in one line that names it; whatever strings and numbers a file
/// means, they come back. SILO_LONG=1 tries twenty times as many.
/// </summary>
public class FileFuzzTests
{
    private static readonly Config s_many = Config.QuickThrowOnFailure.WithMaxTest(Environment.GetEnvironmentVariable("SILO_LONG") == "1" ? 20_000 : 1_000);

    private const string Ranks = "prompt,item,rater,rank,panel\np1,\"a \"\"b\"\"\",ann,1,humans\np1,b,ann,2.5,\np2,a,bob,,judges\n";
    private const string Measures = "prompt,item,leak.mean,temperature\np1,a,0.25,1.5\np1,b,,0.3\n";
    private const string Logits = """
        {"id":"a","logits":[0.5,"-Infinity",-1e-3],"temperature":0.8,"token":0}
        {"id":2,"top":[[5,1.25],[3,0.5]],"log_z":2.5,"temperature":1.5,"token":3}

        """;
    private const string Texts = """
        {"prompt":"p1","item":"a","text":"Once upon\na time \u00e9"}
        {"prompt":"p1","item":"b","text":""}

        """;

    private static readonly (string Valid, Action<string> Read)[] s_readers =
    [
        (Ranks, path => RankingFile.Read(path)),
        (Measures, path => MeasureFile.Read(path)),
        (Logits, path => LogitsFile.Read(path).ToList()),
        (Texts, path => TextFile.Read(path).ToList()),
    ];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Damaged_files_are_read_or_refused_in_one_line(int reader)
    {
        var (valid, read) = s_readers[reader];
        using var file = new TemporaryFile("");
        int taken = 0, refused = 0;
        Prop.ForAll(Damaged(Encoding.UTF8.GetBytes(valid)), bytes =>
        {
            file.Write(bytes);
            try
            {
                read(file.Path);
                taken++;
            }
            catch (SiloException e)
            {
                refused++;
                if (!e.Message.StartsWith(file.Path, StringComparison.Ordinal) || e.Message.Any(char.IsControl))
                    throw new InvalidOperationException($"not one line that names the file: {e.Message}");
            }
        }).Check(s_many);
        Assert.True(taken > 0 && refused > 0, $"{taken} taken, {refused} refused: the damage tests nothing");
    }

    [Fact]
    public void Any_text_comes_back_from_json_lines()
    {
        using var file = new TemporaryFile("");
        Prop.ForAll(ArbMap.Default.ArbFor<string[]>(), given =>
        {
            var texts = given.Select(text => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text ?? ""))).ToArray();
            file.Write(Encoding.UTF8.GetBytes(string.Join('\n', texts.Select((text, i) =>
                $$"""{"prompt":"p","item":"{{i}}","text":{{JsonSerializer.Serialize(text)}}}"""))));
            return texts.Length == 0 || TextFile.Read(file.Path).Select(row => row.Text).SequenceEqual(texts);
        }).Check(s_many);
    }

    [Fact]
    public void Any_rank_and_any_name_come_back_from_csv()
    {
        using var file = new TemporaryFile("");
        var names = ArbMap.Default.GeneratorFor<NonEmptyString>().Select(s => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(s.Get)));
        var rows =
            from name in names
            from ranks in ArbMap.Default.GeneratorFor<NormalFloat>().NonEmptyListOf()
            select (Name: name, Ranks: ranks.Select(rank => rank.Get).ToArray());
        Prop.ForAll(rows.ToArbitrary(), given =>
        {
            file.Write(Encoding.UTF8.GetBytes("prompt,item,rater,rank\n" + string.Concat(given.Ranks.Select((rank, i) =>
                $"\"{given.Name.Replace("\"", "\"\"", StringComparison.Ordinal)}\",{i},r,{rank:R}\n"))));
            return RankingFile.Read(file.Path).Select(row => (row.Prompt, row.Rank!.Value)).SequenceEqual(given.Ranks.Select(rank => (given.Name, rank)));
        }).Check(s_many);
    }

    /// <summary>A valid file with up to four edits: a byte changed, bytes taken out, put in or doubled, or the end cut off.</summary>
    private static Arbitrary<byte[]> Damaged(byte[] valid)
    {
        var edit =
            from kind in Gen.Choose(0, 4)
            from at in Gen.Choose(0, valid.Length - 1)
            from length in Gen.Choose(1, 12)
            from value in Gen.OneOf(Gen.Choose(0, 255), Gen.Elements("\",\n\r{}[]:-+.eE0\\"u8.ToArray().Select(b => (int)b).ToArray()))
            select (kind, at, length, value: (byte)value);
        return (from count in Gen.Choose(1, 4)
                from edits in edit.ListOf(count)
                select edits.Aggregate(valid, (bytes, e) =>
                {
                    var at = Math.Min(e.at, bytes.Length);
                    var end = Math.Min(at + e.length, bytes.Length);
                    return e.kind switch
                    {
                        0 when at < bytes.Length => [.. bytes[..at], e.value, .. bytes[(at + 1)..]],
                        1 => [.. bytes[..at], .. bytes[end..]],
                        2 => [.. bytes[..at], e.value, .. bytes[at..]],
                        3 => [.. bytes[..end], .. bytes[at..]],
                        _ => bytes[..at],
                    };
                })).ToArbitrary();
    }
}
