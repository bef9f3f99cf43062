using System.CommandLine;
using System.Globalization;
using Silo.Client;
using Silo.Cluster.Contracts.Correlations;
using Silo.Core;
using Silo.Experiments.Ranking;
using Silo.Storage.Files;

namespace Silo.Ctl;

/// <summary>Commands that bring ranks in and results out.</summary>
internal static class ResultCommands
{
    public static IEnumerable<Command> All(ConnectionOptions connection)
    {
        yield return Rank(connection);
        yield return Board(connection);
        yield return Texts(connection);
        yield return Export(connection);
    }

    private static Argument<string> Id => new("experiment") { Description = "The experiment's id." };

    private static Command Rank(ConnectionOptions connection)
    {
        var id = Id;
        var ranks = new Option<string>("--ranks") { HelpName = "FILE", Description = "CSV: prompt,item,rater,rank[,panel]; 1 = best.", Required = true };
        var revision = new Option<long>("--revision") { HelpName = "N", Description = "Revision of all ranks in the file; a higher one replaces a lower one, whatever the order of arrival." };
        var withdraw = new Option<bool>("--withdraw") { Description = "Withdraw the file's ranks instead (needs a higher --revision)." };
        var command = new Command("rank", "Send ranks. Repeating it changes nothing.\n\nExample: siloctl rank poems-1 --ranks monday.csv\n         siloctl rank poems-1 --ranks monday-corrected.csv --revision 1") { id, ranks, revision, withdraw };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var number = parsed.GetValue(revision);
            if (parsed.GetValue(withdraw) && number < 1) throw new SiloException("--withdraw: expected a --revision higher than that of the ranks, at least 1");
            var events = RankingFile.Read(parsed.GetValue(ranks)!)
                .Select(r => new RankEvent(r.Prompt, r.Item, r.Rater, r.Panel, parsed.GetValue(withdraw) ? null : r.Rank, number));
            await using var client = await connection.ConnectAsync(parsed, cancellationToken);
            var reply = await client.RankAsync(parsed.GetValue(id)!, events, cancellationToken);
            Output.Write(parsed.GetValue(connection.Json), new RankResult(reply.New, reply.Corrected, reply.Withdrawn, reply.Repeated), CtlJson.Default.RankResult,
                r => $"{r.New} new, {r.Corrected} corrected, {r.Withdrawn} withdrawn, {r.Repeated} known already");
            return 0;
        });
        return command;
    }

    private static Command Board(ConnectionOptions connection)
    {
        var id = Id;
        var all = new Option<bool>("--all") { Description = "Exploratory measures as well." };
        var command = new Command("board", "Show the running table: controls and declared measures, with normal 95 % intervals for one look. Verdicts come with an export (silo report).") { id, all };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var client = await connection.ConnectAsync(parsed, cancellationToken);
            var board = await client.BoardAsync(parsed.GetValue(id)!, cancellationToken);
            var lines = board.Lines.Where(l => l.Declared || parsed.GetValue(all)).ToArray();
            Output.Write(parsed.GetValue(connection.Json), BoardResult.Of(board, lines), CtlJson.Default.BoardResult, _ => Table(board, lines));
            return 0;
        });
        return command;
    }

    private static Command Texts(ConnectionOptions connection)
    {
        var id = Id;
        var prompt = new Argument<string>("prompt") { Description = "The prompt's id." };
        var command = new Command("texts", "Show a prompt's texts.") { id, prompt };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var client = await connection.ConnectAsync(parsed, cancellationToken);
            var experiment = parsed.GetValue(id)!;
            var plan = new Silo.Experiments.Plan.ExperimentPlan((await client.SpecAsync(experiment, cancellationToken)) with { Prompts = [new(parsed.GetValue(prompt)!, "")], PromptsFile = null });
            var texts = await client.TextsAsync(experiment, parsed.GetValue(prompt)!, traces: false, cancellationToken);
            var result = new TextsResult(
                [.. texts.Texts.Select(t => new TextLine(plan.Key(0, t.Row).Item, t.Text, t.Tokens.Length, t.Stopped ? "stop" : "length"))],
                [.. texts.Failures.Select(f => new FailureLine(plan.Key(0, f.Row).Item, f.Attempts, f.Reason))]);
            Output.Write(parsed.GetValue(connection.Json), result, CtlJson.Default.TextsResult, r =>
                string.Join("\n\n", r.Texts.Select(t => $"[{t.Item}, {t.Tokens} tokens]\n{t.Text}").Concat(r.Failures.Select(f => $"[{f.Item}] failed {f.Attempts} times: {f.Reason}"))));
            return 0;
        });
        return command;
    }

    private static Command Export(ConnectionOptions connection)
    {
        var id = Id;
        var output = new Option<string?>("--out") { HelpName = "DIR", Description = "The run directory. Default: runs/<experiment>." };
        var noTraces = new Option<bool>("--no-traces") { Description = "Leave the token traces in the cluster." };
        var command = new Command("export", "Write a campaign into a run directory that silo report, silo compare and the rest read.\n\nExample: siloctl export poems-1 && silo report runs/poems-1") { id, output, noTraces };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var experiment = parsed.GetValue(id)!;
            var path = parsed.GetValue(output) ?? Path.Combine("runs", experiment);
            await using var client = await connection.ConnectAsync(parsed, cancellationToken);
            var status = await client.StatusAsync(experiment, cancellationToken);
            var version = typeof(ResultCommands).Assembly.GetName().Version!.ToString(3);
            var digest = await CampaignExport.ExportAsync(client, experiment, path, version, !parsed.GetValue(noTraces),
                CampaignCommands.Progress(parsed, connection, status.Prompts, "prompts written"), cancellationToken);
            Output.Write(parsed.GetValue(connection.Json), new ExportResult(experiment, path, digest.Hex), CtlJson.Default.ExportResult, r => $"{r.Run}: digest {r.Digest}");
            return 0;
        });
        return command;
    }

    private static string Table(RunningBoard board, RunningLine[] lines)
    {
        var text = new System.Text.StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{board.Prompts} prompts, {board.Texts} texts");
        foreach (var gold in lines.GroupBy(l => l.Gold))
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{"gold " + gold.Key,-38}    rho  95 % interval   ties broken  prompts  undefined  unrated");
            foreach (var line in gold.OrderBy(IsMeasure).ThenByDescending(l => Math.Abs(l.Rho ?? 0)).ThenBy(l => l.Measure, StringComparer.Ordinal))
                text.AppendLine(CultureInfo.InvariantCulture, $"  {line.Measure,-36} {Number(line.Rho),6}  {Interval(line),-14}  {Number(line.RhoUntied),11}  {line.Defined,7}  {line.Undefined,9}  {line.Unrated,7}");
        }
        if (lines.Length == 0) text.AppendLine("nothing is ranked yet: siloctl rank");
        return text.ToString().TrimEnd();
    }

    private static bool IsMeasure(RunningLine line) => !line.Measure.StartsWith("control.", StringComparison.Ordinal);

    private static string Interval(RunningLine line) => line is { Lower: not null, Upper: not null } ? $"[{Number(line.Lower)}, {Number(line.Upper)}]" : "-";

    private static string Number(double? value) => value is { } v ? v.ToString("F2", CultureInfo.InvariantCulture) : "-";
}
