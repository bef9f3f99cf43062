using System.Globalization;
using System.Text;

namespace Silo.EndToEnd.Runs;

/// <summary>What is done with a stored run: nothing is generated again. Every test has its own copy of one run.</summary>
public sealed class StoredRunTests(StoredRunTests.Original original) : IClassFixture<StoredRunTests.Original>, IAsyncLifetime
{
    private TemporaryFolder _folder = null!;

    public async ValueTask InitializeAsync() => _folder = await original.CopyAsync();

    public ValueTask DisposeAsync()
    {
        _folder?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Ranks_are_taken_once_corrected_and_refused_where_they_fit_no_text()
    {
        var first = (await SiloProcess.RunAsync("rank", _folder["run"], "--ranks", Ranks("r.csv", 1, 2, 3), "--json")).Json;
        Assert.Equal((180, 180), (first.Whole("read"), first.Whole("added")));
        Assert.Equal(0, (await SiloProcess.RunAsync("rank", _folder["run"], "--ranks", Ranks("r.csv", 1, 2, 3), "--json")).Json.Whole("added"));
        Assert.Equal(120, (await SiloProcess.RunAsync("rank", _folder["run"], "--ranks", Ranks("s.csv", 1, 3, 2), "--json")).Json.Whole("added"));
        (await SiloProcess.RunAsync("rank", _folder["run"], "--ranks", _folder.Write("bad.csv", "prompt,item,rater,rank\na,t9-0,ann,1\n"))).Refuses("bad.csv", "t9-0");
        (await SiloProcess.RunAsync("rank", _folder["run"], "--ranks", _folder.Write("bad.csv", "prompt,item,rater,rank\na,t0.3-0,ann,first\n"))).Refuses("bad.csv:2", "first");
    }

    [Fact]
    public async Task What_is_exported_correlates_as_the_run_does()
    {
        await SiloProcess.RunAsync("rank", _folder["run"], "--ranks", Ranks("r.csv", 1, 2, 3), "--json");
        var files = (await SiloProcess.RunAsync("export", _folder["run"], "--json")).Json.Items("files").Select(file => file.GetString()!).ToArray();
        Assert.All(files, file => Assert.True(new FileInfo(file).Length > 0, file));
        Assert.Contains(files, file => file.EndsWith("trace_full.npy", StringComparison.Ordinal));
        var results = (await SiloProcess.RunAsync(
            "correlate", "--features", _folder["run/export/measures.csv"], "--ranks", _folder["run/export/ranks.csv"], "--json")).Json.Items("results").ToArray();
        // Colder is better, by construction: the control says so without a fault.
        Assert.Equal(-1, results.Single(r => r.Text("feature") == "control.temperature" && r.Text("gold") == "mean_rank").Number("rho_within"));
        Assert.Contains(results, r => r.Text("feature") == "leak.mean" && r.Text("gold") == "heuristic/mean_rank");
    }

    [Fact]
    public async Task Another_reference_temperature_and_a_report_need_no_new_text()
    {
        var measured = (await SiloProcess.RunAsync("remeasure", _folder["run"], "--reference-temperature", "1.25", "--json")).Json;
        Assert.Equal(60, measured.Whole("texts"));
        await SiloProcess.RunAsync("export", _folder["run"], "--json");
        Assert.Contains(",leak@1.25.mean,", File.ReadLines(_folder["run/export/measures.csv"]).First(), StringComparison.Ordinal);
        var report = (await SiloProcess.RunAsync("report", _folder["run"], "--json")).Json.Text("report");
        Assert.Equal(Path.GetFullPath(_folder["run/report.html"]), Path.GetFullPath(report));
    }

    [Fact]
    public async Task A_run_compared_with_itself_differs_in_nothing()
    {
        var comparison = (await SiloProcess.RunAsync("compare", _folder["run"], _folder["run"], "--json")).Json;
        Assert.Equal(20, comparison.Whole("prompts"));
        Assert.Empty(comparison.Items("spec_differences"));
        Assert.All(comparison.Items("measures"), line => Assert.Equal(0, line.Number("difference") ?? 0));
    }

    [Theory]
    [InlineData("NO_COLOR=", true)]
    [InlineData("NO_COLOR=1", false)]
    public async Task On_a_terminal_the_run_is_drawn_and_coloured_only_where_colour_is_wanted(string variable, bool colour)
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/script")) Assert.Skip("needs a pseudo-terminal (script of util-linux: sudo apt-get install -y bsdutils)");
        var command = $"stty cols 120 rows 40; {variable} TERM=xterm-256color '{SiloProcess.Executable}' run '{_folder["small.json"]}' --model '{SmallSpec.Model}' --out '{_folder["run"]}' --fresh";
        var outcome = await SiloProcess.RunInAsync("script", _folder.Path, "-qec", command, "/dev/null");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("█", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("60 of 60 texts", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("control.temperature", outcome.Out, StringComparison.Ordinal);
        Assert.Equal(colour, outcome.Out.Contains("\u001b[32m", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_no_run_is_every_command_says_so()
    {
        foreach (var command in new[] { ["report", _folder["none"]], ["export", _folder["none"]], ["compare", _folder["none"], _folder["run"]], new[] { "rank", _folder["none"], "--ranks", Ranks("r.csv", 1, 2, 3) } })
            (await SiloProcess.RunAsync(command)).Refuses(_folder["none"]);
        Assert.False(Directory.Exists(_folder["none"]));
    }

    private string Ranks(string name, params int[] ranks)
    {
        var text = new StringBuilder("prompt,item,rater,rank\n");
        foreach (var rater in new[] { "ann", "bob", "cy" })
            foreach (var prompt in "abcdefghijklmnopqrst")
                foreach (var (item, rank) in new[] { "t0.3-0", "t0.8-0", "t1.5-0" }.Zip(ranks))
                    text.Append(CultureInfo.InvariantCulture, $"{prompt},{item},{rater},{rank}\n");
        return _folder.Write(name, text.ToString());
    }

    /// <summary>The run that is copied. The first test makes it: a fixture itself cannot be skipped where the model is absent.</summary>
    public sealed class Original : IDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private Task? _run;

        public void Dispose() => _folder.Dispose();

        private async Task RunAsync()
        {
            var spec = _folder.Write("small.json", SmallSpec.Json.Replace("\"samples\": 2", "\"samples\": 1", StringComparison.Ordinal).Replace("80", "20", StringComparison.Ordinal));
            var run = await SiloProcess.RunAsync("run", spec, "--model", SmallSpec.Model, "--out", _folder["run"], "--json");
            Assert.Equal("done", run.Json.Text("event"));
        }

        internal async Task<TemporaryFolder> CopyAsync()
        {
            await (_run ??= RunAsync());
            var copy = new TemporaryFolder();
            File.Copy(_folder["small.json"], copy["small.json"]);
            foreach (var file in Directory.GetFiles(_folder["run"], "*", SearchOption.AllDirectories))
            {
                var target = copy[Path.Combine("run", Path.GetRelativePath(_folder["run"], file))];
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }
            return copy;
        }
    }
}
