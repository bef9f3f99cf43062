using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Silo.Client;
using Silo.Cluster.Contracts;
using Silo.Cluster.Contracts.Campaigns;
using Silo.Experiments.Spec;

namespace Silo.Ctl;

/// <summary>Commands that start and steer campaigns.</summary>
internal static class CampaignCommands
{
    public static IEnumerable<Command> All(ConnectionOptions connection)
    {
        yield return Submit(connection);
        yield return Simple(connection, "status", "Say where a campaign stands.", (c, id, t) => c.StatusAsync(id, t));
        yield return Watch(connection);
        yield return Simple(connection, "pause", "Begin no more prompts; those in flight keep what comes.", (c, id, t) => c.PauseAsync(id, t));
        yield return Simple(connection, "resume", "Go on after a pause.", (c, id, t) => c.ResumeAsync(id, t));
        yield return Simple(connection, "cancel", "Give a campaign up; what is stored stays.", (c, id, t) => c.CancelAsync(id, t));
        yield return Window(connection);
        yield return List(connection);
    }

    private static Argument<string> Id => new("experiment") { Description = "The experiment's id: a-z, 0-9, '-', '_', '.'." };

    private static Command Submit(ConnectionOptions connection)
    {
        var path = new Argument<string>("file") { Description = "The experiment file (silo new writes one)." };
        var id = new Option<string?>("--id") { HelpName = "ID", Description = "Id in the cluster. Default: the experiment's name in lower case." };
        var model = new Option<string?>("--model-name") { HelpName = "NAME", Description = "Name of the model that inference hosts serve. Default: the embedded one." };
        var device = new Option<string?>("--device") { HelpName = "cpu|cuda", Description = "Kind of device that hosts must have: cpu or cuda. Default: any." };
        device.AcceptOnlyFromAmong("cpu", "cuda");
        var window = new Option<int>("--window") { HelpName = "N", Description = "Most prompts in flight at first.", DefaultValueFactory = _ => 32, CustomParser = WindowSize };
        var command = new Command("submit", "Submit an experiment and start it. Repeating it changes nothing; interrupted, it goes on.\n\nExample: siloctl submit experiment.json --id poems-1 && siloctl watch poems-1") { path, id, model, device, window };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var spec = SpecFiles.Read(parsed.GetValue(path)!);
            var experiment = parsed.GetValue(id) ?? spec.Name.ToLowerInvariant();
            if (spec.Gold.Ranks.Count > 0) Output.Note($"gold.ranks are not sent with a submission: siloctl rank {experiment} --ranks {string.Join(" --ranks ", spec.Gold.Ranks)}");
            if (spec.Model is { } file && parsed.GetValue(model) is null) Output.Note($"the model {file} is not sent: the hosts' own is taken, or the one that --model-name names");
            await using var client = await connection.ConnectAsync(parsed, cancellationToken);
            var outcome = await client.SubmitAsync(experiment, spec, new SubmitOptions
            {
                Model = parsed.GetValue(model),
                Device = parsed.GetValue(device),
                Window = parsed.GetValue(window),
            }, Progress(parsed, connection, spec.Prompts.Count, "prompts sent"), cancellationToken);
            Output.Write(parsed.GetValue(connection.Json), new SubmitResult(experiment, outcome.ToString().ToLowerInvariant(), spec.Prompts.Count, SpecIdentity.Of(spec).Hash),
                CtlJson.Default.SubmitResult, r => $"{r.Experiment}: {r.Outcome}, {r.Prompts} prompts");
            return 0;
        });
        return command;
    }

    private static Command Watch(ConnectionOptions connection)
    {
        var id = Id;
        var after = new Option<long>("--after") { HelpName = "N", Description = "Begin after this sequence number." };
        var command = new Command("watch", "Follow a campaign to its end, through lost connections.") { id, after };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var client = await connection.ConnectAsync(parsed, cancellationToken);
            await foreach (var status in client.WatchAsync(parsed.GetValue(id)!, parsed.GetValue(after), cancellationToken))
                Show(parsed, connection, status);
            return 0;
        });
        return command;
    }

    private static Command Window(ConnectionOptions connection)
    {
        var id = Id;
        var size = new Argument<int>("prompts") { Description = "Most prompts in flight.", CustomParser = WindowSize };
        var command = new Command("window", "Set the most prompts in flight.") { id, size };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var client = await connection.ConnectAsync(parsed, cancellationToken);
            Show(parsed, connection, await client.SetWindowAsync(parsed.GetValue(id)!, parsed.GetValue(size), cancellationToken));
            return 0;
        });
        return command;
    }

    private static int WindowSize(ArgumentResult result)
    {
        var given = result.Tokens[0].Value;
        if (int.TryParse(given, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var size) && size is >= 1 and <= Limits.MaxWindow) return size;
        result.AddError($"window {given}: expected 1 to {Limits.MaxWindow}");
        return 1;
    }

    private static Command List(ConnectionOptions connection)
    {
        var command = new Command("list", "List the open experiments.");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var client = await connection.ConnectAsync(parsed, cancellationToken);
            var open = await client.OpenExperimentsAsync(cancellationToken);
            Output.Write(parsed.GetValue(connection.Json), new ListResult(open), CtlJson.Default.ListResult, r => r.Experiments is [] ? "no experiment is open" : string.Join('\n', r.Experiments));
            return 0;
        });
        return command;
    }

    private static Command Simple(ConnectionOptions connection, string name, string description, Func<SiloClient, string, CancellationToken, Task<CampaignStatusReply>> call)
    {
        var id = Id;
        var command = new Command(name, description) { id };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var client = await connection.ConnectAsync(parsed, cancellationToken);
            Show(parsed, connection, await call(client, parsed.GetValue(id)!, cancellationToken));
            return 0;
        });
        return command;
    }

    private static void Show(ParseResult parsed, ConnectionOptions connection, CampaignStatusReply status) =>
        Output.Write(parsed.GetValue(connection.Json), StatusResult.Of(status), CtlJson.Default.StatusResult,
            s => $"#{s.Sequence} {s.Status}: {s.Ended} of {s.Prompts} prompts, {s.Kept} texts, {s.Failed} failed, {s.InFlight} in flight (window {s.Open} of {s.Window}), {s.Tokens} tokens"
                + (s.Digest is null ? "" : $", digest {s.Digest}"));

    internal static IProgress<int>? Progress(ParseResult parsed, ConnectionOptions connection, int total, string what) =>
        parsed.GetValue(connection.Json) || Console.IsErrorRedirected ? null : new Progress<int>(done => Console.Error.Write($"\r{done} of {total} {what}   "));
}
