using Silo.Core;
using Silo.Storage.Files;

namespace Silo.Storage.Tests.Files;

public class RankingFileTests
{
    [Fact]
    public void Rows_come_in_the_order_of_the_file_with_panel_ties_and_missing_ranks()
    {
        using var file = new TemporaryFile("\uFEFFprompt,item,rater,panel,rank,comment\r\np1,a,ann,humans,1,\"x,\"\"y\"\"\"\r\np1,b,ann,humans, 1.5e0 ,\n\np1,c,ann,humans,,\np2,a,bob,,-3,\n");
        Assert.Equal(
            [
                new RankRow("p1", "a", "ann", "humans", 1) { Line = 2 }, new("p1", "b", "ann", "humans", 1.5) { Line = 3 },
                new("p1", "c", "ann", "humans", null) { Line = 5 }, new("p2", "a", "bob", null, -3) { Line = 6 },
            ],
            RankingFile.Read(file.Path));
    }

    [Theory]
    [InlineData("", "is empty; a header line is expected")]
    [InlineData("p1,a,ann,1\n", ":1: no column \"prompt\"; the header is \"p1,a,ann,1\"")]
    [InlineData("prompt;item;rater;rank\np;a;r;1\n", ":1: no column \"prompt\"")]
    [InlineData("prompt,item,rater,rank\n", "has no ranks")]
    [InlineData("prompt,item,rater,rank\np,a,r,\n", "has no ranks")]
    [InlineData("prompt,item,rater,rank\np,a,r,first\n", ":2: rank is \"first\", not a finite number")]
    [InlineData("prompt,item,rater,rank\np,a,r,1\np,b,r,NaN\n", ":3: rank is \"NaN\", not a finite number")]
    [InlineData("prompt,item,rater,rank\np,a,r,1e999\n", ":2: rank is \"1e999\", not a finite number")]
    [InlineData("prompt,item,rater,rank\np,a,r,\"1,5\"\n", ":2: rank is \"1,5\", not a finite number")]
    [InlineData("prompt,item,rater,rank\np,a,r,1,5\n", ":2: 5 fields where the header has 4 columns")]
    [InlineData("prompt,item,rater,rank\np,a,r,1\np,a,r,2\n", ":3: rater \"r\" has two ranks for item \"a\" of prompt \"p\"")]
    [InlineData("prompt,item,rater,rank\np,,r,1\n", ":2: item is empty")]
    [InlineData("prompt,item,rater,rank,rank\np,a,r,1,1\n", ":1: the column \"rank\" stands twice")]
    [InlineData("prompt,item,rater,rank\np,\"a,r,1\n", "not comma-separated text")]
    public void What_is_wrong_is_said_with_file_and_line(string content, string cause)
    {
        using var file = new TemporaryFile(content, "ranks.csv");
        var error = Assert.Throws<SiloException>(() => RankingFile.Read(file.Path));
        Assert.StartsWith(file.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        using var file = new TemporaryFile([.. "prompt,item,rater,rank\np,"u8, 0xC3, 0x28, .. ",r,1\n"u8]);
        Assert.Equal($"{file.Path}:2: not valid UTF-8 text", Assert.Throws<SiloException>(() => RankingFile.Read(file.Path)).Message);
    }

    [Fact]
    public void Empty_ranks_alone_withdraw_where_that_is_asked_for()
    {
        using var file = new TemporaryFile("prompt,item,rater,rank\np,a,r,\n");
        Assert.Null(Assert.Single(RankingFile.Read(file.Path, withdrawals: true)).Rank);
    }

    [Fact]
    public void A_missing_file_and_a_directory_are_named()
    {
        using var file = new TemporaryFile("");
        var folder = Path.GetDirectoryName(file.Path)!;
        Assert.Equal($"{file.Path}x: no such file", Assert.Throws<SiloException>(() => RankingFile.Read(file.Path + "x")).Message);
        Assert.Equal($"{folder}: is a directory, not a file", Assert.Throws<SiloException>(() => RankingFile.Read(folder)).Message);
    }
}
