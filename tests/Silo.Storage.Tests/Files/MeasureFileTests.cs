using Silo.Core;
using Silo.Storage.Files;

namespace Silo.Storage.Tests.Files;

public class MeasureFileTests
{
    [Fact]
    public void Measures_keep_their_order_and_an_empty_field_is_undefined()
    {
        using var file = new TemporaryFile("leak.mean,item,prompt,temperature\n.25,a,p1,1.5\n,b,p1,0.3\nnan,a,p2,1e-1\n");
        var table = MeasureFile.Read(file.Path);
        Assert.Equal(["leak.mean", "temperature"], table.Columns);
        Assert.Equal(["p1/a", "p1/b", "p2/a"], table.Rows.Select(row => $"{row.Prompt}/{row.Item}"));
        Assert.Equal([.25, 1.5, double.NaN, .3, double.NaN, .1], table.Rows.SelectMany(row => row.Values));
    }

    [Theory]
    [InlineData("prompt,item\np,a\n", ":1: has no column but prompt and item")]
    [InlineData("prompt,item,m\n", "has no rows")]
    [InlineData("prompt,item,control.length\np,a,1\n", ":1: has a column \"control.length\"")]
    [InlineData("prompt,item,m\np,a,inf\n", ":2: m is \"inf\", not a finite number")]
    [InlineData("prompt,item,m\np,a,1\np,b,2\np,a,3\n", ":4: item \"a\" of prompt \"p\" stands twice")]
    [InlineData("prompt,item,m,temperature\np,a,-1,0\np,b,2,-0.3\n", ":3: temperature is \"-0.3\"; a number that is not below 0 is expected")]
    [InlineData("prompt,item,length,m\np,a,-1,0\n", ":2: length is \"-1\"")]
    [InlineData("prompt,item,m\np,a\n", ":2: 2 fields where the header has 3 columns")]
    public void What_is_wrong_is_said_with_file_and_line(string content, string cause)
    {
        using var file = new TemporaryFile(content);
        Assert.Contains(cause, Assert.Throws<SiloException>(() => MeasureFile.Read(file.Path)).Message, StringComparison.Ordinal);
    }
}
