using System.Text.Json;
using Silo.Host.Tests.Fixtures;

namespace Silo.Host.Tests.Clusters;

/// <summary>What <c>siloctl</c> does, each command by a process over a gateway, against the same done by <c>silo</c>.</summary>
[Collection(nameof(HostCluster))]
public sealed class CommandTests(HostCluster cluster)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_campaign_from_its_submission_to_an_export_that_silo_reads()
    {
        await cluster.ReadyAsync();
        using var folder = new TemporaryFolder();
        var (ctl, file) = (cluster.Ctl, folder.Write("e.json", Specs.Json("whole", 60, maxTokens: 8)));
        var submitted = (await ctl.RunAsync("submit", file, "--window", "1")).Json;
        Assert.Equal(("whole", "accepted", 60), (submitted.Text("experiment"), submitted.Text("outcome"), submitted.Whole("prompts")));

        var paused = (await ctl.RunAsync("pause", "whole")).Json;
        Assert.Equal("paused", paused.Text("status"));
        Assert.InRange(paused.Whole("ended"), 0, 59);
        Assert.Equal("known", (await ctl.RunAsync("submit", file, "--window", "1")).Json.Text("outcome"));
        (await ctl.RunAsync("submit", folder.Write("other.json", Specs.Json("whole", 60, seed: 8, maxTokens: 8)))).Refuses("experiment 'whole': submitted before with another spec");
        Assert.Contains("whole", (await ctl.RunAsync("list")).Json.Items("experiments").Select(e => e.GetString()));
        Assert.Equal(("paused", 3), Standing((await ctl.RunAsync("window", "whole", "3")).Json, "window"));
        (await ctl.RunAsync("window", "whole", "0")).Refuses("window 0: expected 1 to 4096");
        Assert.Equal("running", (await ctl.RunAsync("resume", "whole")).Json.Text("status"));

        // From an old number: nothing that was seen comes again, and every number once.
        var seen = paused.GetProperty("sequence").GetInt64();
        var watched = await ctl.RunAsync("watch", "whole", "--after", seen.ToString());
        var numbers = watched.Lines.Select(line => JsonElement.Parse(line).GetProperty("sequence").GetInt64()).ToArray();
        Assert.Equal(numbers.Distinct().Order(), numbers);
        Assert.True(numbers[0] > seen);
        var end = watched.Json;
        Assert.Equal(("finished", 180), Standing(end, "kept"));
        Assert.Empty((await ctl.RunAsync("watch", "whole", "--after", numbers[^1].ToString())).Lines);
        Assert.Equal(end.GetRawText(), (await ctl.RunAsync("status", "whole")).Json.GetRawText());
        var (digest, local) = await Specs.RunLocallyAsync(folder, file);
        Assert.Equal(digest, end.Text("digest"));

        // All ranks come after the campaign's end; some are corrected, one is withdrawn, some come twice.
        string[] first = ["p1,t0.3-0,ann,1", "p1,t0.8-0,ann,2", "p1,t1.5-0,ann,3", "p2,t0.3-0,ann,2", "p2,t0.8-0,ann,1", "p2,t1.5-0,ann,3", "p3,t0.3-0,bob,1", "p3,t0.8-0,bob,2", "p3,t1.5-0,bob,3"];
        string[] corrected = ["p2,t0.3-0,ann,1", "p2,t0.8-0,ann,2"], withdrawn = ["p3,t1.5-0,bob,3"];
        Assert.Equal((9, 0, 0, 0), Counts((await ctl.RunAsync("rank", "whole", "--ranks", Ranks(folder, first))).Json));
        Assert.Equal((0, 0, 0, 9), Counts((await ctl.RunAsync("rank", "whole", "--ranks", Ranks(folder, first))).Json));
        Assert.Equal((0, 2, 0, 0), Counts((await ctl.RunAsync("rank", "whole", "--ranks", Ranks(folder, corrected), "--revision", "1")).Json));
        Assert.Equal((0, 0, 1, 0), Counts((await ctl.RunAsync("rank", "whole", "--ranks", Ranks(folder, withdrawn), "--revision", "1", "--withdraw")).Json));
        (await ctl.RunAsync("rank", "whole", "--ranks", Ranks(folder, ["p99,t0.3-0,ann,1"]))).Refuses("experiment 'whole' has no prompt 'p99'");

        var board = (await ctl.RunAsync("board", "whole")).Json;
        Assert.Equal((60, 180), (board.Whole("prompts"), board.Whole("texts")));
        var control = Assert.Single(board.Items("results"), r => r.Text("feature") == "control.temperature" && r.Text("gold") == "mean_rank");
        // Colder is better for whoever ranked here.
        Assert.Equal(-1, control.Number("rho_within"));
        // The prompt of the withdrawn rank is not wholly ranked any more.
        Assert.Equal((2, 58), (control.Whole("n_defined"), control.Whole("n_unrated")));
        Assert.Equal(["t0.3-0", "t0.8-0", "t1.5-0"], (await ctl.RunAsync("texts", "whole", "p4")).Json.Items("texts").Select(t => t.Text("item")));

        var run = folder["exported"];
        Assert.Equal(digest, (await ctl.RunAsync("export", "whole", "--out", run)).Json.Text("digest"));
        Assert.Equal(0, (await SiloProcess.RunAsync("report", run, "--json")).ExitCode);
        // The same ranks taken by the local run: both runs say the same of everything, in every byte.
        string[] standing = [.. first.Where(f => !withdrawn.Contains(f) && !corrected.Any(c => c[..9] == f[..9])), .. corrected];
        await SiloProcess.RunAsync("rank", local, "--ranks", Ranks(folder, standing), "--json");
        foreach (var directory in (string[])[run, local]) Assert.Equal(0, (await SiloProcess.RunAsync("export", directory, "--json")).ExitCode);
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(local, "export", "measures.csv"), Cancellation), await File.ReadAllTextAsync(Path.Combine(run, "export", "measures.csv"), Cancellation));
        // But for the heuristic judge, which ranks in a local run alone; and in another order, as raters came in another order.
        var correlations = (string[])await Task.WhenAll(new[] { run, local }.Select(async directory =>
            (await SiloProcess.RunAsync("correlate", "--features", Path.Combine(directory, "export", "measures.csv"), "--ranks", Path.Combine(directory, "export", "ranks.csv"), "--json")).Json
                .Items("results").Where(r => !r.Text("gold").Contains("heuristic", StringComparison.Ordinal)).Select(r => r.GetRawText()).Order(StringComparer.Ordinal).Aggregate((all, r) => $"{all}\n{r}")));
        Assert.Equal(correlations[1], correlations[0]);
        Assert.Contains("leak.mean", correlations[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_campaign_begins_no_more_and_keeps_what_is_stored()
    {
        await cluster.ReadyAsync();
        using var folder = new TemporaryFolder();
        var ctl = cluster.Ctl;
        await ctl.RunAsync("submit", folder.Write("e.json", Specs.Json("given-up", 200, maxTokens: 8)), "--window", "2");
        await ctl.RunAsync("cancel", "given-up");
        var end = (await ctl.RunAsync("watch", "given-up")).Json;
        Assert.Equal("cancelled", end.Text("status"));
        Assert.InRange(end.Whole("ended"), 0, 199);
        Assert.Equal("cancelled", (await ctl.RunAsync("resume", "given-up")).Json.Text("status"));
        Assert.DoesNotContain("given-up", (await ctl.RunAsync("list")).Json.Items("experiments").Select(e => e.GetString()));
    }

    private static (string, int) Standing(JsonElement status, string number) => (status.Text("status"), status.Whole(number));

    private static (int, int, int, int) Counts(JsonElement reply) => (reply.Whole("new"), reply.Whole("corrected"), reply.Whole("withdrawn"), reply.Whole("repeated"));

    private static string Ranks(TemporaryFolder folder, string[] lines) => folder.Write("ranks.csv", "prompt,item,rater,rank\n" + string.Join('\n', lines) + "\n");
}
