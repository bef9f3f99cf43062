using Silo.Core;
using Silo.Storage.Files;

namespace Silo.Storage.Tests.Files;

public class LogitsFileTests
{
    [Fact]
    public void A_whole_row_keeps_signed_zeros_and_masked_tokens()
    {
        using var file = new TemporaryFile("""{"id":"a\"ß","logits":[-0.0,"-Infinity",1.5,1e-42],"temperature":0.3,"token":2}""" + "\r\n\n" + """{"token":0,"id":7,"temperature":1,"logits":[3]}""");
        var rows = LogitsFile.Read(file.Path).ToList();
        Assert.Equal(["\"a\\\"ß\"", "7"], rows.Select(row => row.IdJson));
        Assert.Equal([-0.0f, float.NegativeInfinity, 1.5f, 1e-42f], rows[0].Logits);
        Assert.True(float.IsNegative(rows[0].Logits[0]));
        Assert.Equal((0.3, 2, null, null), (rows[0].Temperature, rows[0].Token, rows[0].TopIds, rows[0].LogZ));
        Assert.Equal($"{file.Path}:3", rows[1].Place);
    }

    [Fact]
    public void The_top_of_a_row_comes_by_ascending_id()
    {
        using var file = new TemporaryFile("""{"id":"r","top":[[9,1.0],[4,2.0],[100000,0.5]],"log_z":2.75,"temperature":1.5,"token":9}""");
        var row = Assert.Single(LogitsFile.Read(file.Path));
        Assert.Equal([4, 9, 100000], row.TopIds!);
        Assert.Equal([2f, 1f, .5f], row.Logits);
        Assert.Equal((1, 2.75), (row.Token, row.LogZ));
    }

    [Theory]
    [InlineData("[]", "a JSON object is expected")]
    [InlineData("""{"id":"a" "logits":[1]}""", "not valid JSON at byte 10")]
    [InlineData("""{"id":"a","logits":[NaN],"temperature":1,"token":0}""", "not valid JSON at byte 20")]
    [InlineData("""{"id":"a","logits":["NaN"],"temperature":1,"token":0}""", "logits[0] is \"NaN\"; a number or \"-Infinity\" is expected")]
    [InlineData("""{"id":"a","logits":["Infinity"],"temperature":1,"token":0}""", "logits[0] is \"Infinity\"")]
    [InlineData("""{"id":"a","logits":[1e300],"temperature":1,"token":0}""", "logits[0] is 1e300; a number within the range of float32")]
    [InlineData("""{"id":"a","logits":[-1e39],"temperature":1,"token":0}""", "logits[0] is -1e39")]
    [InlineData("""{"id":"a","logits":[null],"temperature":1,"token":0}""", "logits[0] is null")]
    [InlineData("""{"id":"a","logits":[[1]],"temperature":1,"token":0}""", "logits[0] is an array")]
    [InlineData("""{"id":"a","logits":[],"temperature":1,"token":0}""", "logits is empty")]
    [InlineData("""{"id":"a","logits":[1,2],"temperature":1,"token":2}""", "id \"a\": token 2 is outside of the 2 logits")]
    [InlineData("""{"id":"a","logits":[1,2],"temperature":1,"token":-1}""", "token is -1; a token id")]
    [InlineData("""{"id":"a","logits":[1,2],"temperature":1,"token":1.0}""", "token is 1.0; a token id")]
    [InlineData("""{"id":"a","logits":[1,2],"temperature":0,"token":1}""", "temperature is 0; it must be above 0")]
    [InlineData("""{"id":"a","logits":[1,2],"temperature":-1,"token":1}""", "temperature is -1; it must be above 0")]
    [InlineData("""{"id":"a","logits":[1,2],"temperature":1e999,"token":1}""", "temperature is 1e999; a finite number")]
    [InlineData("""{"id":"a","logits":[1,2],"temperature":"hot","token":1}""", "temperature is \"hot\"; a finite number")]
    [InlineData("""{"id":"a","logits":[1,2],"token":1}""", "temperature is missing")]
    [InlineData("""{"id":"a","logits":[1,2],"temperature":1}""", "token is missing")]
    [InlineData("""{"logits":[1,2],"temperature":1,"token":1}""", "id is missing")]
    [InlineData("""{"id":1.5,"logits":[1,2],"temperature":1,"token":1}""", "id is 1.5; a string or a whole number")]
    [InlineData("""{"id":"a","temperature":1,"token":1}""", "either logits or top is expected")]
    [InlineData("""{"id":"a","logits":[1,2],"top":[[1,2]],"temperature":1,"token":1}""", "either logits or top is expected")]
    [InlineData("""{"id":"a","logits":["-Infinity",2],"temperature":1,"token":0}""", "token 0 is masked")]
    [InlineData("""{"id":"a","logits":["-Infinity","-Infinity"],"temperature":1,"token":0}""", "id \"a\": all logits are masked")]
    [InlineData("""{"id":"a","logits":[1,2,true],"temperature":1,"token":0}""", "id \"a\": logits[2] is true")]
    [InlineData("""{"id":"a","logits":[1,2],"temperature":1,"token":1,"x":1}""", "unknown key \"x\"")]
    [InlineData("""{"id":"a","id":"b","logits":[1,2],"temperature":1,"token":1}""", "the key \"id\" stands twice")]
    [InlineData("""{"id":"a","top":[[1,2],[1,3]],"temperature":1,"token":1}""", "token 1 stands twice in top")]
    [InlineData("""{"id":"a","top":[[1,2],[7,3]],"temperature":1,"token":5}""", "id \"a\": token 5 is not in top")]
    [InlineData("""{"id":"a","top":[[1]],"temperature":1,"token":1}""", "top[0][1] is missing")]
    [InlineData("""{"id":"a","top":[[1,2,3]],"temperature":1,"token":1}""", "top[0] has more than [id, logit]")]
    [InlineData("""{"id":"a","logits":[1],"temperature":1,"token":0}{}""", "not valid JSON")]
    [InlineData("""{"id":"\ud800","logits":[1],"temperature":1,"token":0}""", "not valid Unicode")]
    [InlineData("""{"id":"a","logits":[1],"temperature":1,"token":0""", "not valid JSON")]
    public void What_is_wrong_is_said_with_file_and_line(string line, string cause)
    {
        using var file = new TemporaryFile("""{"id":"a","logits":[1,2],"temperature":1,"token":1}""" + "\n" + line + "\n");
        var error = Assert.Throws<SiloException>(() => LogitsFile.Read(file.Path).ToList());
        Assert.StartsWith($"{file.Path}:2: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Rows_before_a_bad_one_are_given_and_long_lines_are_read_whole()
    {
        var logits = string.Join(',', Enumerable.Range(0, 200_000).Select(i => $"{i}.25"));
        using var file = new TemporaryFile($$"""{"id":1,"logits":[{{logits}}],"temperature":1,"token":199999}""" + "\n{}\n");
        using var rows = LogitsFile.Read(file.Path).GetEnumerator();
        Assert.True(rows.MoveNext());
        Assert.Equal(199_999.25f, rows.Current.Logits[^1]);
        Assert.Throws<SiloException>(() => rows.MoveNext());
    }

    [Fact]
    public void An_id_that_stands_twice_is_refused_with_both_lines()
    {
        const string Row = "\"logits\":[1,2],\"temperature\":1,\"token\":1}";
        using var file = new TemporaryFile("{\"id\":1," + Row + "\n{\"id\":\"1\"," + Row + "\n\n{\"id\":1," + Row + "\n");
        Assert.Equal($"{file.Path}:4: the id \"1\" stands at {file.Path}:1 already", Assert.Throws<SiloException>(() => LogitsFile.Read(file.Path).ToArray()).Message);
    }
}
