using Silo.Core;
using Silo.Storage.Files;

namespace Silo.Storage.Tests.Files;

public class TextFileTests
{
    [Theory]
    [InlineData("""{"prompt":"p","item":"a"}""", "text is missing")]
    [InlineData("""{"prompt":"p","item":1,"text":""}""", "item is 1; a string is expected")]
    [InlineData("""{"prompt":"p","item":"a","text":"x","Text":"y"}""", "unknown key \"Text\"")]
    public void What_is_wrong_is_said_with_file_and_line(string line, string cause)
    {
        using var file = new TemporaryFile(line);
        Assert.Equal($"{file.Path}:1: {cause}", Assert.Throws<SiloException>(() => TextFile.Read(file.Path).ToList()).Message.Split("; prompt")[0]);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \r\n\n")]
    public void An_empty_file_is_refused(string content)
    {
        using var file = new TemporaryFile(content);
        Assert.Equal($"{file.Path}: has no lines", Assert.Throws<SiloException>(() => TextFile.Read(file.Path).ToList()).Message);
    }

    [Fact]
    public void A_text_that_stands_twice_is_refused()
    {
        const string Line = """{"prompt":"p","item":"a","text":""}""";
        using var file = new TemporaryFile($"{Line}\n{Line}\n");
        Assert.Equal($"{file.Path}:2: item \"a\" of prompt \"p\" stands twice", Assert.Throws<SiloException>(() => TextFile.Read(file.Path).ToList()).Message);
    }
}
