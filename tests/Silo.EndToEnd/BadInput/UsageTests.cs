namespace Silo.EndToEnd.BadInput;

/// <summary>A wrong command line is refused in one line, exit code 2; help is help.</summary>
public class UsageTests
{
    [Theory]
    [InlineData("", "command was not provided")]
    [InlineData("nonsense", "nonsense")]
    [InlineData("new nonsense", "Must be one of: 'before-and-after' (see")]
    [InlineData("features", "--rows")]
    [InlineData("features --rows", "--rows")]
    [InlineData("features --rows x --k 0", "--k is 0")]
    [InlineData("features --rows x --k 1,5", "--k is 1,5")]
    [InlineData("features --rows x --kk 3", "--kk")]
    [InlineData("generate --model x --prompt y --temperature -1", "--temperature is -1")]
    [InlineData("generate --model x --prompt y --temperature NaN", "--temperature is NaN")]
    [InlineData("generate --model x --prompt y --temperature 1,5", "--temperature is 1,5")]
    [InlineData("generate --model x --prompt y --seed -1", "--seed is -1")]
    [InlineData("generate --model x --prompt y --prompt z", "--prompt")]
    [InlineData("generate --model x", "--prompt")]
    [InlineData("model info --nope", "--nope")]
    [InlineData("correlate --features x", "--ranks")]
    public async Task Wrong_usage_is_refused_in_one_line(string arguments, string named)
    {
        var outcome = await SiloProcess.RunAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, outcome.ExitCode);
        outcome.Refuses(named);
        Assert.Equal("", outcome.Out);
    }

    [Theory]
    [InlineData("--help", "Usage:")]
    [InlineData("features --help", "Examples:")]
    [InlineData("correlate -h", "Examples:")]
    [InlineData("--version", "0.")]
    public async Task Help_is_shown_on_standard_output(string arguments, string shown)
    {
        var outcome = await SiloProcess.RunAsync(arguments.Split(' '));
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        Assert.Contains(shown, outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_response_file_is_only_a_strange_name()
    {
        using var folder = new TemporaryFolder();
        folder.Write("x", "--rows\nnothing\n");
        var outcome = await SiloProcess.RunInAsync(SiloProcess.Executable, folder.Path, "features", "--rows", "@x");
        Assert.Equal(1, outcome.ExitCode);
        outcome.Refuses("@x: no such file");
    }
}
