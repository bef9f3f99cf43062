using System.Text;

namespace Silo.EndToEnd.BadInput;

/// <summary>Files that cannot be used: one line that names file, place and cause; exit code 1.</summary>
public class FileTests
{
    private const string Ranks = "prompt,item,rater,rank\np,a,r,1\np,b,r,2\n";
    private const string Features = "prompt,item,m\np,a,1\np,b,2\n";

    [Theory]
    [InlineData("""{"id":"a","logits":[1,"NaN"],"temperature":1,"token":0}""", ":1: ", "\"NaN\"")]
    [InlineData("""{"id":"a","logits":["-Infinity","-Infinity"],"temperature":1,"token":0}""", ":1: ", "id \"a\": all logits are masked")]
    [InlineData("""{"id":"a","logits":[1,2],"temperature":1,"token":7}""", ":1: ", "token 7 is outside")]
    [InlineData("""{"id":"a","top":[[1,2],[3,4]],"temperature":1,"token":7}""", ":1: ", "id \"a\": token 7 is not in top")]
    [InlineData("""{"id":"a","top":[[1,2],[3,4]],"log_z":-50,"temperature":1,"token":1}""", ":1: ", "log_z is -50")]
    [InlineData("""{"id":"a","logits":[1,2],"temperature":0,"token":1}""", ":1: ", "temperature is 0")]
    [InlineData("{\"id\":\"a\",\"logits\":[1],\"temperature\":1,\"token\":0}\nnonsense", ":2: ", "not valid JSON")]
    [InlineData("""{"id":"a","logits":[1,2],"temperature":1,"token":1,"extra":0}""", ":1: ", "extra")]
    public async Task Logits(string content, string place, string cause)
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("rows.jsonl", content);
        var outcome = await SiloProcess.RunAsync("features", "--rows", file, "--json");
        Assert.Equal(1, outcome.ExitCode);
        outcome.Refuses(file + place, cause);
    }

    [Theory]
    [InlineData("p,a,r,1\np,b,r,2\n", ":1: ", "no column \"prompt\"")]
    [InlineData("prompt,item,rater,rank\np,a,r,first\n", ":2: ", "\"first\"")]
    [InlineData("prompt,item,rater,rank\np,a,r,1\np,b,r,2\np,a,r,3\n", ":4: ", "two ranks")]
    [InlineData("", ": ", "is empty")]
    public async Task Rankings(string content, string place, string cause)
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("ranks.csv", content);
        foreach (var command in new[] { ["agreement", "--ranks", file], new[] { "correlate", "--features", folder.Write("f.csv", Features), "--ranks", file } })
        {
            var outcome = await SiloProcess.RunAsync(command);
            Assert.Equal((1, ""), (outcome.ExitCode, outcome.Out));
            outcome.Refuses(file + place, cause);
        }
    }

    [Theory]
    [InlineData("prompt,item\np,a\n", "no column but prompt and item")]
    [InlineData("prompt,item,m\np,a,x\n", ":2: m is \"x\"")]
    [InlineData("prompt,item,temperature\np,a,1\n", "no measure")]
    public async Task Measures(string content, string cause)
    {
        using var folder = new TemporaryFolder();
        var outcome = await SiloProcess.RunAsync("correlate", "--features", folder.Write("f.csv", content), "--ranks", folder.Write("r.csv", Ranks));
        outcome.Refuses(cause);
    }

    [Fact]
    public async Task A_direction_for_a_measure_that_is_not_there()
    {
        using var folder = new TemporaryFolder();
        (await SiloProcess.RunAsync("correlate", "--features", folder.Write("f.csv", Features), "--ranks", folder.Write("r.csv", Ranks), "--lower", "n")).Refuses("\"n\"");
    }

    [Theory]
    [InlineData("")]
    [InlineData("GGUF")]
    [InlineData("Once upon a time there was a text that was no model.")]
    public async Task Files_that_are_no_model(string content)
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("model.gguf", content);
        foreach (var command in new[] { ["model", "info", file], new[] { "generate", "--model", file, "--prompt", "x" }, ["tokenize", "--model", file, "--text=x"] })
            (await SiloProcess.RunAsync(command)).Refuses(file);
    }

    [Fact]
    public async Task Models_with_absurd_counts_and_truncated_ones()
    {
        using var folder = new TemporaryFolder();
        var whole = File.ReadAllBytes(Shared.Path("models/stories260k/stories260K-f32.gguf"));
        // Bytes 8..15 count the tensors, 16..23 the metadata.
        byte[] Absurd(int at) => [.. whole[..at], .. BitConverter.GetBytes(1UL << 63), .. whole[(at + 8)..]];
        foreach (var (name, bytes) in new[] { ("tensors", Absurd(8)), ("metadata", Absurd(16)), ("header", whole[..200]), ("half", whole[..(whole.Length / 2)]) })
        {
            var file = folder.Write($"{name}.gguf", bytes);
            var outcome = await SiloProcess.RunAsync("generate", "--model", file, "--prompt", "x");
            Assert.Equal((1, ""), (outcome.ExitCode, outcome.Out));
            outcome.Refuses(file);
        }
    }

    [Fact]
    public async Task A_model_that_does_not_fit_into_memory()
    {
        // 16 MB for everything: the model that comes with Silo needs more.
        using var process = SiloProcess.Start(SiloProcess.Executable, Environment.CurrentDirectory, ("DOTNET_GCHeapHardLimit", "0x1000000"), ["generate", "--prompt", "x"]);
        var error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, process.ExitCode);
        new Outcome(1, "", error).Refuses("storyteller.gguf", "memory");
    }

    [Fact]
    public async Task Missing_files_directories_and_names_with_line_breaks()
    {
        using var folder = new TemporaryFolder();
        (await SiloProcess.RunAsync("score", "--texts", folder["no\nsuch"])).Refuses("no such file");
        (await SiloProcess.RunAsync("score", "--texts", folder.Path)).Refuses(folder.Path, "directory");
        (await SiloProcess.RunAsync("model", "info", folder.Path)).Refuses(folder.Path);
        (await SiloProcess.RunAsync("generate", "--prompt", "x", "--model", folder["none.gguf"])).Refuses("none.gguf");
    }

    [Fact]
    public async Task Bytes_that_are_no_text()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("t.jsonl", [.. Encoding.UTF8.GetBytes("{\"prompt\":\"p\",\"item\":\"a\",\"text\":\""), 0xFF, 0xFE, .. Encoding.UTF8.GetBytes("\"}")]);
        (await SiloProcess.RunAsync("score", "--texts", file)).Refuses($"{file}:1: ");
    }
}
